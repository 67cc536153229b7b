"""Users: made, erased and measured; and the invitations that make an organisation's team."""

from datetime import UTC, datetime, timedelta

from server.sandbox import crud
from server.sandbox.entities import ACHIEVEMENT, CHALLENGE, USER
from server.sandbox.faults import Fault
from server.sandbox.operation_call import OperationCall, format_now
from server.sandbox.store import Body, Wanted

_BUSY = 6
"""Days since the day on which unusually many challenges were completed."""

_PERSONAL = ("displayName", "fullName", "bio", "profilePictureUrl", "emailVerified", "locale", "socialHandles")
_PRIVATE = ("parentEmail", "birthDay", "birthMonth", "birthYear", "externalUserId")


def create_user(call: OperationCall) -> Body:
    """A new user; the address must be new in the organisation."""
    taken = call.store.page(call.organisation, USER.kind, Wanted(where={"$.email": call.body["email"]}))[0]
    if taken:
        raise Fault(409, "A user with this e-mail address exists already.")
    username = call.body.get("username") or call.body["email"].partition("@")[0]
    return call.show(USER, crud.create(call, USER, {**call.body, "username": username}))


def erase_user(call: OperationCall) -> Body:
    """Forget who a user was; the figures stay, under no name."""
    user = call.find_to_change(USER, call.ids["id"])
    kept = {name: value for name, value in user.items() if name not in (*_PERSONAL, *_PRIVATE)}
    nobody = f"erased-{user['id'][-6:]}"
    erased = {
        **kept,
        "username": nobody,
        "email": f"{nobody}@erased.invalid",
        "isAnonymous": True,
        "updatedAt": format_now(),
    }
    call.save(USER, erased)
    return {"success": True, "message": "The personal data was erased.", "user": call.show(USER, erased)}


def analytics(call: OperationCall) -> Body:
    """What one user did, put together from the user's own counters."""
    user = call.find(USER, call.query["userId"])
    seen = call.show(USER, user)["communityData"]
    started = [
        item for data in seen for item in _first(call, CHALLENGE.kind, data, data.get("challengesCompleted", 0) + 1)
    ]
    completed = [
        item for data in seen for item in _first(call, CHALLENGE.kind, data, data.get("challengesCompleted", 0))
    ]
    earned = [
        item for data in seen for item in _first(call, ACHIEVEMENT.kind, data, data.get("achievementsCompleted", 0))
    ]
    done = {item["id"] for item in completed}
    return {
        **{name: user[name] for name in ("username", "email", "displayName", "createdAt") if name in user},
        "userId": user["id"],
        "stats": {
            "totalPoints": user["points"],
            "totalXP": user["xp"].get("total", 0),
            "currentLevel": 1 + int(user["xp"].get("total", 0) // 500),
            "totalAchievements": len(earned),
            "totalChallengesCompleted": len(completed),
            "totalChallengesStarted": len(started),
            "totalRewardsEarned": 0,
        },
        "xpBreakdown": user["xp"],
        "achievements": [
            {
                "achievementId": each["id"],
                "achievementName": each["details"].get("title", ""),
                "progress": 1,
                "progressMax": 1,
                "isCompleted": True,
            }
            for each in earned
        ],
        "challenges": [
            {
                "challengeId": each["id"],
                "challengeName": each["details"].get("title", ""),
                "status": "completed" if each["id"] in done else "started",
                **(_compute_earnings(user, each) if each["id"] in done else {"pointsEarned": 0, "xpEarned": 0}),
            }
            for each in started
        ],
        "rewardAssets": [],
        "rewardEntries": [],
    }


def _compute_earnings(user: Body, challenge: Body) -> Body:
    """What a completion paid and when: spread over four weeks, with one busy day for reports to find."""
    number = int(user["id"][-4:], 16) + int(challenge["id"][-4:], 16)
    days = _BUSY if number % 4 == 0 else number % 28
    return {
        "completedAt": (datetime.now(UTC) - timedelta(days=days, minutes=1)).isoformat(),
        "pointsEarned": challenge["rewardDistribution"]["points"],
        "xpEarned": challenge["rewardDistribution"]["xp"],
    }


def invite_team(call: OperationCall) -> Body:
    """One result per address; nothing is mailed from here."""
    call.refuse_shared([])
    results, seen = [], set[str]()
    for email in call.body["emails"]:
        known = email.lower() in seen
        seen.add(email.lower())
        good = "@" in email and not known
        why = "Invited." if good else "Named twice." if known else "Not an e-mail address."
        results.append({"email": email, "success": good, "message": why})
    return {
        "success": all(each["success"] for each in results),
        "message": f"{len(results)} addresses.",
        "results": results,
    }


def _first(call: OperationCall, kind: str, data: Body, count: int) -> list[Body]:
    wanted = Wanted(community=data["communityId"], where={"$.status": "live"}, sort="createdAt", limit=count)
    return call.store.page(call.organisation, kind, wanted)[1]
