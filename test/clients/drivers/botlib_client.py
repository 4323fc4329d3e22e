"""simplematrixbotlib: a bot that gets its password from its settings and keeps its session in a file."""

import simplematrixbotlib as botlib
from answer import run


async def start(homeserver, user, file, password=None, token=None):
    """What the library does when a bot starts, up to its first request with the session."""
    creds = botlib.Creds(homeserver, user, password, access_token=token, session_stored_file=file)
    config = botlib.Config()
    config.encryption_enabled = False
    api = botlib.Api(creds, config)
    creds.session_read_file()
    try:
        await api.login()
        creds.session_write_file()
        whoami = await api.async_client.whoami()
        return {"user": whoami.user_id, "token": creds.access_token}
    finally:
        await api.async_client.close()


run({"start": start})
