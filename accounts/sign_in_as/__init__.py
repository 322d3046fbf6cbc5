"""Support looks at the shop as a customer sees it: only where the owner allows it, read-only, and seen by everybody.

Staff's own session stays what it is. Beside it stands whose pages it is shown, for thirty minutes at most, and
`storefront/web/sign_in_as.py` answers its requests in the customer's place. Nobody signs in as the customer: there is
no session of theirs, no sign-in that anything hears of, and whatever ends staff's session ends the visit as well.

django-hijack has the marks in the session, the signals and the bar on every page. Its own view would sign in for real:
staff's session would be thrown away, and no longer end with staff's password.
"""
