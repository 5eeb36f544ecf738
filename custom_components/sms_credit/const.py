"""Words that several files share."""

DOMAIN = "sms_credit"

CONF_PROVIDER = "provider"
CONF_BASE_URL = "base_url"
CONF_LOW_BALANCE = "low_balance"
CONF_LOW_QUOTA = "low_quota"
CONF_LOW_RUNWAY = "low_runway"
CONF_MESSAGE_PRICE = "message_price"

PROBLEM_LOW = "low"
PROBLEM_BLOCKED = "blocked"
PROBLEM_UNUSUAL = "unusual"
PROBLEM_ACCESS = "access"
PROBLEM_SILENT = "silent"
