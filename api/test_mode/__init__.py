"""What test keys play with: the whole API, with play money and outcomes that are written in the link.

`scripts` says how an order goes, `operations` keeps the money, `actions` answer the calls. Nothing here touches
upstream, a real wallet or a real order.
"""
