"""Which definition lies behind a company's own number?"""
