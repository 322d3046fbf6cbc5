"""The end of an account: asked for, put off while there is money in it, undone, carried out."""
