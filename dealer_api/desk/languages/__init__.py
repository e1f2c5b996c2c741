"""The desk in the language of whoever reads it: English as it is written, German, Spanish and Arabic by catalogues."""
