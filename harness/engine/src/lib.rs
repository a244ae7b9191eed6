//! Catalogue to matrix to cells to observations to verdicts.
