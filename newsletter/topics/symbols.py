r"""What TeX's commands stand for in Unicode: the tables of `tex`.

From *The TeXbook*, appendix B, and the LaTeX and AMS commands that abstracts use.
"""

from __future__ import annotations

# fmt: off
SYMBOLS = {
    # letters
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "varpi": "π", "rho": "ρ", "varrho": "ρ", "sigma": "σ", "varsigma": "ς", "tau": "τ", "upsilon": "υ",
    "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "imath": "ı", "jmath": "ȷ", "ell": "ℓ", "hbar": "ℏ", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ",
    # relations and arrows
    "leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥", "geqslant": "≥", "neq": "≠", "ne": "≠", "ll": "≪",
    "gg": "≫", "lesssim": "≲", "gtrsim": "≳", "approx": "≈", "sim": "∼", "simeq": "≃", "cong": "≅", "equiv": "≡",
    "propto": "∝", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂", "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇",
    "to": "→", "rightarrow": "→", "longrightarrow": "→", "leftarrow": "←", "gets": "←", "leftrightarrow": "↔",
    "Rightarrow": "⇒", "implies": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "iff": "⇔", "mapsto": "↦",
    "uparrow": "↑", "downarrow": "↓", "nearrow": "↗", "searrow": "↘", "mid": "|", "perp": "⊥", "parallel": "∥",
    # operators
    "times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "ast": "*", "star": "*", "circ": "∘", "bullet": "•",
    "oplus": "⊕", "otimes": "⊗", "odot": "⊙", "cup": "∪", "cap": "∩", "setminus": "∖", "vee": "∨", "lor": "∨",
    "wedge": "∧", "land": "∧", "neg": "¬", "lnot": "¬", "sum": "Σ", "prod": "Π", "int": "∫", "nabla": "∇",
    "partial": "∂", "forall": "∀", "exists": "∃", "infty": "∞", "emptyset": "∅", "varnothing": "∅", "top": "⊤",
    "bot": "⊥", "prime": "′", "angle": "∠", "triangle": "△", "langle": "⟨", "rangle": "⟩", "lceil": "⌈", "rceil": "⌉",
    "lfloor": "⌊", "rfloor": "⌋", "lbrace": "{", "rbrace": "}", "vert": "|", "Vert": "‖", "lvert": "|", "rvert": "|",
    # text
    "deg": "°", "degree": "°", "textdegree": "°", "dots": "…", "ldots": "…", "cdots": "…", "textellipsis": "…",
    "dagger": "†", "ddagger": "‡", "checkmark": "✓", "copyright": "©", "pounds": "£", "euro": "€", "S": "§",
    "textendash": "–", "textemdash": "—", "textasciitilde": "~", "textbackslash": "\\", "textasciicircum": "^",
    "textunderscore": "_", "textquoteright": "’", "textquotesingle": "'", "quad": " ", "qquad": " ", "newline": " ",
    "par": " ", "linebreak": " ", "eg": "e.g.", "ie": "i.e.", "etal": "et al.", "TeX": "TeX", "LaTeX": "LaTeX",
}

# Letters of words: TeX takes the space after them, \AA rhus.
LETTERS = {
    "ss": "ß", "o": "ø", "O": "Ø", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "ı", "j": "ȷ",
}

# Names that keep their distance: n\log n is "n log n".
FUNCTIONS = frozenset(
    """
    log ln lg exp sin cos tan sinh cosh tanh max min arg argmax argmin sup inf lim liminf limsup det dim ker
    rank Pr gcd tr sign poly polylog softmax mod bmod
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

# They change how what follows looks, and no more.
SWITCHES = frozenset(
    """
    it bf rm tt sf sc sl em cal tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge
    itshape bfseries ttfamily sffamily rmfamily scshape mdseries upshape displaystyle textstyle scriptstyle
    left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr limits nolimits noindent centering
    xspace protect relax boldmath unboldmath nonumber notag
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

# Their arguments are not for readers.
DROPPED = frozenset(
    """
    cite citep citet citeauthor citeyear parencite textcite label ref eqref footnote thanks vspace hspace begin
    end color includegraphics phantom
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

# Of two arguments the second is what is shown.
SECOND = frozenset({"href", "textcolor", "colorbox", "hyperref", "hyperlink"})

# Accents, as a combining character each: signs as in \'e, letters as in \c{c}, names as in \hat{x}.
ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331", "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304",
    "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308", "check": "\u030c", "breve": "\u0306", "acute": "\u0301",
    "grave": "\u0300", "mathring": "\u030a",
}

BLACKBOARD = dict(zip("CHNPQRZE", "ℂℍℕℙℚℝℤ𝔼", strict=True))

SUPERSCRIPTS = {
    **dict(zip("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ", strict=True)),
    "T": "ᵀ", "⊤": "ᵀ", "∘": "°", "*": "*", "′": "′", "†": "†",
}
SUBSCRIPTS = dict(zip("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True))
# fmt: on
