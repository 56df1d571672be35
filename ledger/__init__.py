"""What is true: formats, admission, trees and verification.

Pure: no I/O, no clock, no randomness except in ``new_content_key``.  May
import the standard library, msgspec and PyNaCl, nothing else.  Everybody may import it.
"""
