"""The pages a person sees when signing in: the first login, and confirming a device."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from coverslip.contract.errors import CoverslipError
from coverslip.service.context import ContextDep
from coverslip.service.identity.errors import LinkInvalid, OAuthError
from coverslip.service.identity.passwords import MIN_PASSWORD_LENGTH
from coverslip.service.identity.rendering import Field, message, page, refuse_cross_site
from coverslip.service.identity.setup import FirstAdministrator

router = APIRouter(include_in_schema=False)


@router.get("/welcome")
async def welcome(request: Request, context: ContextDep, link: str = "") -> HTMLResponse:
    """Where a one-time link leads."""
    try:
        purpose = await context.sign_in.link_purpose(link)
    except LinkInvalid as error:
        return message(request, "This link is not valid", str(error), 400)
    if purpose == "login":
        return page(request, "link.html", link=link, fault=None)
    return page(request, "setup.html", link=link, fault=None, form=None, min_length=MIN_PASSWORD_LENGTH)


@router.post("/welcome", dependencies=[Depends(refuse_cross_site)])
async def set_up(
    request: Request,
    context: ContextDep,
    link: Field,
    organization: Field = "",
    email: Field = "",
    name: Field = "",
    password: Field = "",
    user_code: Field = "",
) -> HTMLResponse:
    """Found the platform, or confirm a device, with a one-time link."""
    form = FirstAdministrator(organization, email, name, password)
    try:
        purpose = await context.sign_in.link_purpose(link)
        if purpose == "login":
            await context.sign_in.approve_device_by_link(link, user_code)
            return message(request, "Signed in", "Your device is signed in. You can close this page.")
        await context.sign_in.set_up(link, form)
    except LinkInvalid as error:
        return message(request, "This link is not valid", str(error), 400)
    except OAuthError as error:
        fault = str(error)
        return page(request, "setup.html", 400, link=link, fault=fault, form=form, min_length=MIN_PASSWORD_LENGTH)
    except CoverslipError as error:
        return page(request, "link.html", 400, link=link, fault=str(error))
    text = f"{form.organization} is set up. On your computer, run `coverslip user login` and sign in as {form.email}."
    return message(request, "Welcome to Coverslip", text)


@router.get("/device")
async def device(request: Request, user_code: str = "") -> HTMLResponse:
    """Where a person confirms the code that a device shows."""
    return page(request, "device.html", user_code=user_code, email="", fault=None)


@router.post("/device", dependencies=[Depends(refuse_cross_site)])
async def confirm_device(
    request: Request, context: ContextDep, user_code: Field, email: Field, password: Field
) -> HTMLResponse:
    """Sign in the device that shows the code."""
    try:
        user_id = await context.sign_in.check_password(email, password)
        await context.sign_in.approve_device(user_code, user_id)
    except CoverslipError as error:
        return page(request, "device.html", 400, user_code=user_code, email=email, fault=str(error))
    return message(request, "Signed in", "Your device is signed in. You can close this page.")
