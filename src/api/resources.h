// What the routes of router.cc lead to; one file per resource.
#pragma once

#include "api/call.h"

namespace api {

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
void ListLetters(Call&& call);
void GetLetter(Call&& call);

// refused.cc
void ListRefused(Call&& call);

// settings.cc
void GetSender(Call&& call);
void PutSender(Call&& call);

// workspace.cc
void GetWorkspace(Call&& call);

// clock.cc
void MoveClock(Call&& call);

// health.cc
void GetHealth(Call&& call);
void GetReady(Call&& call);
void GetMetrics(Call&& call);
void GetOpenApi(Call&& call);
void GetRoot(Call&& call);

}  // namespace api
