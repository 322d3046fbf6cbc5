"""What test keys work with: the whole API, with test money and outcomes that are written in the link.

`scripts` says how an order goes, `operations` keeps the money, `actions` answer the calls. Nothing here touches
upstream, a real wallet or a real order.
"""
