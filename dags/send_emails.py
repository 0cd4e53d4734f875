"""Send the e-mails that the published release and the alerts call for, each once.

Woken by every publication, and by a clock besides, since alerts come without one. The Airflow connection
`incentives_smtp` says through which server and from which address; without it nothing is sent. An e-mail that the
server refuses, or whose address cannot be written to, is tried again with the next run, and holds up no other.
"""

import logging
import smtplib

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowSkipException

from dags.assets import TRIED_AGAIN, published, woken_by

log = logging.getLogger(__name__)
CONNECTION = "incentives_smtp"
OF_ONE = (  # faults of one e-mail, the last two of an address that the server, or no e-mail at all, can carry
    smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError, ValueError,
)  # fmt: skip


class Post(SmtpHook):
    """Airflow's SMTP client for whole messages; its own method sends HTML without text."""

    def send(self, message) -> int:
        """Send a message; how many of its recipients the server refused, raising when it refused all or the message."""
        return len(self._smtp_client.send_message(message))


@task
def send() -> list[str]:
    """The keys of the e-mails that went out."""
    import emails
    import monitoring

    found = emails.unsent(monitoring.alerts())
    if not found:
        raise AirflowSkipException("no e-mail is due.")
    try:
        sender = SmtpHook.get_connection(CONNECTION).extra_dejson.get("from_email")
    except AirflowNotFoundException:
        raise AirflowSkipException(f"[{len(found)}] e-mails wait: no connection [{CONNECTION}] is set.") from None
    if not sender:
        raise AirflowFailException(f"the connection [{CONNECTION}] names no from_email; add it to its extra.")
    sent, refused = [], []
    with Post(CONNECTION) as post:
        for email in found:
            try:
                missed = post.send(email.message(sender))
            except OF_ONE as fault:
                log.warning("e-mail [%s] is refused: %s", email.key, type(fault).__name__)  # the fault names addresses
                refused.append(email.key)
                continue
            emails.record_sent(email.key)
            sent.append(email.key)
            if missed:
                log.warning("e-mail [%s]: %d of %d recipients are refused", email.key, missed, len(email.to))
    if refused:
        raise AirflowFailException(f"{len(sent)} e-mails are sent, {len(refused)} are refused: {refused}")
    return sent


@dag(
    schedule=woken_by(published),
    catchup=False,
    max_active_runs=1,
    default_args=TRIED_AGAIN,
    tags=["incentives"],
    doc_md=__doc__,
)
def send_emails():
    send()


send_emails()
