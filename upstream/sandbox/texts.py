"""The texts the sandbox refuses with. They carry no numbers, because the shop matches a refusal by its whole text."""

# Source: HstockPlus API document, "Error responses".
INVALID_API_KEY = "Invalid API key"
INVALID_ACTION = "Invalid action"
SERVICE_ID_REQUIRED = "Service ID is required"
INSUFFICIENT_BALANCE = "Insufficient balance"
ORDER_NOT_FOUND = "Order not found"
SERVICE_NOT_FOUND = "Service not found"
DOCUMENTED = (
    INVALID_API_KEY,
    INVALID_ACTION,
    SERVICE_ID_REQUIRED,
    INSUFFICIENT_BALANCE,
    ORDER_NOT_FOUND,
    SERVICE_NOT_FOUND,
)

# The trade's usual texts; the document does not have them.
QUANTITY_TOO_SMALL = "Quantity is less than minimum"
QUANTITY_TOO_LARGE = "Quantity is more than maximum"
LINK_REQUIRED = "Link is required"
INVALID_LINK = "Invalid link"
NOT_ENOUGH_STOCK = "Not enough stock"
PROJECT_NOT_FOUND = "Project not found"
NO_NUMBERS = "No numbers available"
TOO_FAST = "Rate limit exceeded, please slow down"
TRADE = (
    QUANTITY_TOO_SMALL,
    QUANTITY_TOO_LARGE,
    LINK_REQUIRED,
    INVALID_LINK,
    NOT_ENOUGH_STOCK,
    PROJECT_NOT_FOUND,
    NO_NUMBERS,
    TOO_FAST,
)

# What a caller gets who does not follow the document; a shop that does never sees these.
UNKNOWN_PARAMETER = "Unknown parameter: "  # the parameter's name follows
QUANTITY_REQUIRED = "Quantity is required"
INVALID_QUANTITY = "Invalid quantity"
COMMENTS_REQUIRED = "Comments are required"
COMMENTS_MISMATCH = "Quantity does not match the number of comments"
NOT_ORDERABLE = "This service cannot be ordered through the API"
ORDER_ID_REQUIRED = "Order ID is required"
PROJECT_ID_REQUIRED = "Project ID is required"
PHONE_NOT_AVAILABLE = "Phone number is not available"
INVALID_PAGE = "Invalid page"
INVALID_LIMIT = "Invalid limit"
METHOD_NOT_ALLOWED = "Method not allowed"
TOO_MANY_REQUESTS = "Too many requests, rate limit exceeded"
INTERNAL_ERROR = "Internal server error"
