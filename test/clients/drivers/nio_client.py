"""matrix-nio, as a script would use it."""

from answer import run
from nio import (
    AsyncClient,
    DeleteDevicesAuthResponse,
    DeleteDevicesResponse,
    LoginResponse,
    RoomCreateResponse,
    RoomMessageText,
    RoomSendResponse,
    SyncResponse,
)


async def login(homeserver, user, password=None, token=None, device=""):
    client = AsyncClient(homeserver, user, device_id=device)
    try:
        info = await client.login_info()
        answer = await client.login(password=password, token=token, device_name="a script")
        return {"ways": info.flows, **login_result(answer)}
    finally:
        await client.close()


async def say(homeserver, user, password, text):
    """Signs in, opens a room, says something there, and reads it again in its own sync."""
    client = AsyncClient(homeserver, user)
    heard = []
    client.add_event_callback(lambda _room, event: heard.append(event.body), RoomMessageText)
    try:
        assert isinstance(await client.login(password), LoginResponse)
        room = await client.room_create(name="a room")
        assert isinstance(room, RoomCreateResponse), room
        content = {"msgtype": "m.text", "body": text}
        sent = await client.room_send(room.room_id, "m.room.message", content)
        assert isinstance(sent, RoomSendResponse), sent
        synced = await client.sync(timeout=0, full_state=True)
        assert isinstance(synced, SyncResponse), synced
        return {"heard": heard}
    finally:
        await client.close()


async def delete_devices(homeserver, user, token, devices, password):
    """First asks without proof, then again with the password, as the library's own example has it."""
    client = AsyncClient(homeserver, user)
    client.restore_login(user, "ANY", token)
    try:
        asked = await client.delete_devices(devices)
        if not isinstance(asked, DeleteDevicesAuthResponse):
            return {"unasked": type(asked).__name__}
        auth = {"type": "m.login.password", "user": user, "password": password, "session": asked.session}
        done = await client.delete_devices(devices, auth)
        return {
            "flows": asked.flows,
            "deleted": isinstance(done, DeleteDevicesResponse),
            "answer": type(done).__name__,
        }
    finally:
        await client.close()


def login_result(answer):
    if isinstance(answer, LoginResponse):
        return {"user": answer.user_id, "device": answer.device_id, "token": answer.access_token}
    return {"errcode": answer.status_code, "error": answer.message}


run({"login": login, "say": say, "delete_devices": delete_devices})
