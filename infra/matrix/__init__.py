"""The support matrix: what serving systems can do with Gemma 4, on which evidence, and what is done here with them."""

from infra.matrix.data import matrix_json
from infra.matrix.markdown import matrix_markdown
from infra.matrix.page import matrix_page
from infra.matrix.record import record_text
from infra.matrix.rows import Matrix, MatrixRow, Source, build_matrix, own_matrix
from infra.matrix.table import table_text

__all__ = [
    "Matrix",
    "MatrixRow",
    "Source",
    "build_matrix",
    "matrix_json",
    "matrix_markdown",
    "matrix_page",
    "own_matrix",
    "record_text",
    "table_text",
]
