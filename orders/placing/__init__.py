"""From a form to a paid order: the check, the price that was promised, the payment, the order itself."""
