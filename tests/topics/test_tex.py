from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.topics.tex import plain

PIECES = st.sampled_from(
    [
        *"{}$^_~\\ %&#'`-a1.,()[]|é中", "$$", "\\(", "\\)", "\\frac", "\\sqrt[3]", "\\alpha", "\\log", "\\left(",
        "\\rm ", "\\'", '\\"', "\\c", "\\hat", "\\href", "\\cite", "\\unicode{x110000}", "\\unicode{-1}", "\\o",
        "\ue000", "\ue007", "\x00",
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # formulas
        (r"$\mathcal{O}(n^2)$ and $O(n\log n)$", "O(n²) and O(n log n)"),
        (r"$\tilde{O}(\sqrt{d\eta})$, $1/\sqrt{n+1}$", "Õ(√dη), 1/√(n+1)"),
        (r"$\frac{a+b}{2n}$", "(a+b)/2n"),
        (r"$x_1$, $x_i$, $x_{ij}$, $x_{i+1}$, $10^{-3}$, $2^{n-1}$", "x₁, x_i, x_ij, x_(i+1), 10⁻³, 2ⁿ⁻¹"),
        (r"$D^\star$, $A^\top$, 90$^\circ$, $k^{th}$", "D*, Aᵀ, 90°, kth"),
        (r"$\alpha \in (0,1)$, $\ell_2$, $\mathbb{R}^d$", "α ∈ (0,1), ℓ₂, ℝ^d"),
        (r"$\exp\left(-\beta\right)$", "exp(-β)"),
        (r"$\textbf{FLARE}$, $1.3\times$, $30\%$", "FLARE, 1.3×, 30%"),
        (r"$ \kappa $ and \(y_2\) and \[ z \] and $$w$$", "κ and y₂ and z and w"),
        (r"{\rm P{\small HYSICS}E{\small VAL}}", "PHYSICSEVAL"),
        # words
        (r"Schr\"odinger, R\'{e}nyi, \v{S}, Conce\c{c}\~ao", "Schrödinger, Rényi, Š, Conceção"),
        (r"\AA rhus, na\"{\i}ve, {\L}\'od\'z, \O{}rsted, Stra\ss e", "Århus, naïve, Łódź, Ørsted, Straße"),
        (r"\emph{very \textbf{bold}}, \texttt{a_b}, {\it so so}, \textcolor{red}{red}", "very bold, a_b, so so, red"),
        (r"51\% \& more, \$5, \#1, a\_b, \{x\}", "51% & more, $5, #1, a_b, {x}"),
        (r"see Fig.~3, DR.~GRPO, LLMs~(large)", "see Fig. 3, DR. GRPO, LLMs (large)"),
        (r"earlier work~\cite{a2020,b}, and \citep[p.~3]{c}.", "earlier work, and."),
        (r"\href{https://example.org/a}{our page} and \url{https://example.org/a_b}", "our page and https://example.org/a_b"),
        (r"\methodname achieves \sys{} more", "methodname achieves sys more"),
        ("``quoted'' -- so -- and 2010--2024", "“quoted” – so – and 2010–2024"),
        (r"{BERT}: 82{,}115 nouns", "BERT: 82,115 nouns"),
        ("CO_{2}, R^2, 10^6", "CO₂, R², 10⁶"),
        ("6.54times lower on 8times A100", "6.54× lower on 8× A100"),
        # what is no TeX
        (r"the experiments\' results, it\'s", "the experiments' results, it's"),
        ("costs $5 million, or $10 to $1.49 ($0.4)", "costs $5 million, or $10 to $1.49 ($0.4)"),
        ("about ~10% at 12~20 Hz, http://example.org/~me", "about ~10% at 12~20 Hz, http://example.org/~me"),
        ("snake_case, {a, b}, --flag, sometimes", "snake_case, {a, b}, --flag, sometimes"),
        ("", ""),
        ("大语言模型 – نماذج 🙂", "大语言模型 – نماذج 🙂"),
    ],
)  # fmt: skip
def test_tex_reads_as_text(text: str, expected: str) -> None:
    """What TeX would show is shown as far as Unicode has it; prices, paths and addresses stay what they are."""
    assert plain(text) == expected


@given(st.lists(PIECES, max_size=40).map("".join))
@example("{" * 500 + "}" * 400)
@example("\\" * 501)
@example("$" * 301 + "x^{" * 200)
def test_nothing_is_too_broken(text: str) -> None:
    """Whatever is written, there is some text of it, on one line, without the characters used in between."""
    written = plain(text)

    assert isinstance(written, str)
    if written != text:
        assert written == " ".join(written.split())
        assert not set(written) & {chr(code) for code in range(0xE000, 0xE008)}


@given(st.text(st.characters(exclude_characters="\\$~{}^_`'-", exclude_categories=["Cs"])))
def test_text_without_tex_is_untouched(text: str) -> None:
    """Where there is no sign of TeX, nothing is changed."""
    assert plain(text) == text or "times" in text


@pytest.mark.parametrize("piece", ["{", "}", "$", "\\", "^{", "\\frac{", "\\(", "$x", "\\'", "~", "\\cite{", "x^{2"])
def test_long_hostile_text_is_read_to_its_end(piece: str) -> None:
    """A hundred thousand openings without an end are read in one go; a test that hangs here has found a square."""
    assert len(plain(piece * (100_000 // len(piece)))) <= 100_000
