"""E-mails to partners' incentives admins and to operators: each due one as text and HTML, and a ledger of those sent.

A kind of e-mail is three files of letters/: a query of the release for what is due, and the letter as text and as HTML.
"""

from emails.due import Email, due, record_sent, unsent

__all__ = ["Email", "due", "record_sent", "unsent"]
