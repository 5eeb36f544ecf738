"""Words and numbers that several files share."""

DOMAIN = "sms_credit"

CONF_PROVIDER = "provider"
CONF_LOW_BALANCE = "low_balance"
CONF_LOW_QUOTA = "low_quota"
CONF_MESSAGE_PRICE = "message_price"

POLL_INTERVAL = 300.0
"""Seconds. A balance moves slowly, and the providers ask for once every few minutes at most."""

STALE_AFTER = 3600.0
"""Seconds after which the last good reading is no longer shown."""
