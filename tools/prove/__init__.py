"""``make prove``: that no invoice and no sales entry is lost or doubled, whatever is done to the app and its calls.

``python -m tools.prove`` says how it is used, docs/proof.md what it has shown, and what it does not.
"""
