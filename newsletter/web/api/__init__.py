"""The API: JSON for programs that act for an operator, by a token.

declarations (dataclasses) -> Operation -> request -> door: who, how often, what is asked -> act -> answer
                                        -> the OpenAPI document

What a request may hold and an answer shows is declared once, in `readers`, `issues`, `archive` and `sends`; `shapes`
reads, shows and describes it.
"""
