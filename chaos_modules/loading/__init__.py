"""From text to typed data with its positions kept: every error can say file:line:column."""
