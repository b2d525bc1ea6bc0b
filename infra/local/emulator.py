"""The emulator, with the one thing added that it lacks: emails can be read.

It delivers no email but logs a line where one would go out, after the subscription's filter policy was applied and the
message for its protocol chosen. Here that moment is used to append the email to the file named by MAILBOX, as one JSON
object a line: `to`, `subject`, `body`. Everything else is the emulator as it is; its settings are environment variables.
"""

import json
import logging
import os
import threading

from ministack import app
from ministack.services import sns

LATEST = threading.local()


def remember_envelopes():
    """The envelope is built for each subscription right before its delivery, in the same thread."""
    build = sns._build_envelope

    def build_and_remember(topic_arn, message_id, message, subject, *rest):
        LATEST.subject, LATEST.message = subject, message
        return build(topic_arn, message_id, message, subject, *rest)

    sns._build_envelope = build_and_remember


class MailWriter(logging.Filter):
    """Sees every line the SNS service logs, and writes an email where the line says that one goes out."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def filter(self, record):
        if str(record.msg).startswith("SNS fanout → email"):
            email = {"to": record.args[0], "subject": LATEST.subject, "body": LATEST.message}
            with open(self.path, "a", encoding="utf-8") as mailbox:
                mailbox.write(json.dumps(email) + "\n")
        return True


if __name__ == "__main__":
    if mailbox := os.environ.get("MAILBOX"):
        remember_envelopes()
        sns.logger.addFilter(MailWriter(mailbox))
    app.main()
