"""mautrix, the framework of many bridges and bots, as a client of its own user."""

from answer import run
from mautrix.client import Client
from mautrix.errors import MatrixRequestError


async def login(homeserver, user, password, device=None):
    client = Client(base_url=homeserver)
    try:
        ways = [str(flow.type) for flow in (await client.get_login_flows()).flows]
        answer = await client.login(user, password=password, device_id=device, device_name="a bot")
        return {
            "ways": ways,
            "user": answer.user_id,
            "device": answer.device_id,
            "token": answer.access_token,
            "whoami": (await client.whoami()).user_id,
        }
    except MatrixRequestError as error:
        return {"errcode": error.errcode, "error": error.message, "status": error.http_status}
    finally:
        await client.api.session.close()


run({"login": login})
