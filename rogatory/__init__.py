"""Rogatory's public face: what another system imports to publish to a ledger, and to check what it was told.

::

    import rogatory

    async with rogatory.connect("file:./assistance", office="RU-OMS") as publisher:
        await publisher.publish(rogatory.Draft(subject=…, data=rogatory.events.RequestAccepted(executing="RU-OMS")))

Everything else in the other packages may change without notice.
"""
