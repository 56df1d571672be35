"""How events get in: the publisher, receipts, importers of other systems' logs.

May import ``ledger``; knows logs, vaults and signers only by their ports.
"""
