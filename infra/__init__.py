"""What people run: adapters to files, brokers and databases, configuration, wiring, the command line.

May import everything; nothing imports it.
"""
