"""By which definition is a number a company's own: cells in, definitions out."""
