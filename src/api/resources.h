// What the routes of router.cc lead to; one file per resource.
#pragma once

#include "api/call.h"

namespace api {

// accounts.cc
void GetSession(Call&& call);
void StartFirst(Call&& call);
void SignIn(Call&& call);
void SignOut(Call&& call);
void PatchSession(Call&& call);
void ListSessions(Call&& call);
void EndSession(Call&& call);
void ChangePassword(Call&& call);

// keys.cc
void ListKeys(Call&& call);
void CreateKey(Call&& call);
void RevokeKey(Call&& call);

// workspace.cc
void GetWorkspace(Call&& call);
void CreateWorkspace(Call&& call);
void RenameWorkspace(Call&& call);
void DeleteWorkspace(Call&& call);

// persons.cc
void ListPersons(Call&& call);
void LookupPerson(Call&& call);
void GetPerson(Call&& call);
void GetTimeline(Call&& call);

// segments.cc
void ListSegments(Call&& call);
void CreateSegment(Call&& call);
void PreviewSegment(Call&& call);
void GetSegment(Call&& call);
void PutSegment(Call&& call);
void DeleteSegment(Call&& call);
void ListSegmentPersons(Call&& call);

// journeys.cc
void ListJourneys(Call&& call);
void CreateJourney(Call&& call);
void GetJourney(Call&& call);
void PutJourney(Call&& call);
void PublishJourney(Call&& call);
void StopJourney(Call&& call);

// messages.cc
void ListMessages(Call&& call);

// mailbox.cc
// Whether letters of the call's workspace leave by a mail server instead of staying in the mailbox.
bool LettersLeave(const Call& call);
// messages.cc
void ReleaseLetters(Call&& call);
// mailbox.cc
void ListLetters(Call&& call);
void GetLetter(Call&& call);

// refused.cc
void ListRefused(Call&& call);

// home.cc
void GetHome(Call&& call);
void GetNames(Call&& call);
void ListRecentEvents(Call&& call);

// conditions.cc
void ReadConditions(Call&& call);

// settings.cc
void GetSender(Call&& call);
void PutSender(Call&& call);

// clock.cc
void MoveClock(Call&& call);

// health.cc
void GetHealth(Call&& call);
void GetReady(Call&& call);
void GetMetrics(Call&& call);
void GetOpenApi(Call&& call);
void GetRoot(Call&& call);

}  // namespace api
