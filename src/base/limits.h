// Every queue, loop, body, retry and buffer of the server has its limit here: the unit in the
// name, the reason, and what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace limits {

// --- ingest (wire/segment) -------------------------------------------------------------------
inline constexpr size_t kEventBytesMax = 32 * 1024;        // Larger: this event is refused alone.
inline constexpr size_t kBatchBytesMax = 4 * 1024 * 1024;  // Decoded; larger: 413.
inline constexpr size_t kBatchEventsMax = 1000;            // More: 413.
inline constexpr int kJsonDepthMax = 32;                   // Deeper: refused as malformed.
inline constexpr int kInflateRatioMax = 100;               // Past it: 413, a bomb.
inline constexpr size_t kPropertiesMax = 1000;             // Keys an object; more: event refused.
inline constexpr size_t kIdBytesMax = 512;                 // Of any id; longer: event refused.
inline constexpr size_t kNameBytesMax = 256;               // Of an event name; longer: refused.
inline constexpr size_t kEventFieldsMax = 100;             // Top-level keys; more: event refused.
inline constexpr size_t kRefusedRawBytesMax = 2048;        // Kept of a refused event; then cut.
inline constexpr size_t kAgentBytesMax = 512;              // Of a User-Agent; the rest is not read.
inline constexpr size_t kAgentCacheEntries = 4096;         // A thread; the longest unused goes.
inline constexpr size_t kPlaceCacheEntries = 16384;        // A thread; the longest unused goes.
inline constexpr base::DurationMs kDedupeWindowMs = 7 * base::kDayMs;
inline constexpr size_t kDedupeEntriesMax = 20'000'000;  // A server (split over partitions); when
                                                         // full the oldest hour goes, counted.

// --- times of events (semantics 13) ----------------------------------------------------------
inline constexpr base::DurationMs kPublicPastMax = 30 * base::kDayMs;
inline constexpr base::DurationMs kPublicFutureMax = 5 * base::kMinuteMs;
inline constexpr base::DurationMs kTrustedFutureMax = base::kDayMs;
inline constexpr base::TimeMs kTrustedPastMin = 946684800000;          // 2000-01-01.
inline constexpr base::DurationMs kJourneyEntryAgeMax = base::kDayMs;  // Older events enter none.

// --- http ------------------------------------------------------------------------------------
inline constexpr size_t kHeaderBytesMax = 16 * 1024;                 // All headers; more: 431.
inline constexpr size_t kHeadersMax = 64;                            // More: 431.
inline constexpr size_t kTargetBytesMax = 8 * 1024;                  // Longer: 414.
inline constexpr size_t kBodiesInFlightBytesMax = 64 * 1024 * 1024;  // A server; beyond: 503.
inline constexpr size_t kConnectionsMax = 20'000;                    // Beyond: accepting pauses.
inline constexpr size_t kConnectionsPerAddressMax = 4'000;           // Beyond: closed at once.
inline constexpr base::DurationMs kHeaderTimeMs = 10 * base::kSecondMs;
inline constexpr base::DurationMs kIdleTimeMs = 30 * base::kSecondMs;
inline constexpr size_t kBodyBytesPerSecondMin = 1024;                 // After 5 s; slower: closed.
inline constexpr base::DurationMs kBodyGraceMs = 5 * base::kSecondMs;  // Before the rate counts.
inline constexpr base::DurationMs kLingerTimeMs =
    2 * base::kSecondMs;                                    // Reading on after a refusal,
                                                            // so that the client sees the answer.
inline constexpr size_t kChunkOverheadBytesMax = 8 * 1024;  // Extensions and trailers; more: 400.
inline constexpr size_t kInflateFreeBytes = 64 * 1024;  // Decoded bytes before the ratio counts.
inline constexpr int kRetryAfterSeconds = 5;            // On 429 and 503 without a better value.
inline constexpr size_t kZstdWindowLogMax = 23;         // 8 MB of window; more: refused.

// --- log -------------------------------------------------------------------------------------
inline constexpr size_t kSegmentBytes = 64 * 1024 * 1024;  // A log file before the next begins.
inline constexpr size_t kCommitBytesMax = 1024 * 1024;     // One group commit.
inline constexpr size_t kAppendQueueBytesMax = 64 * 1024 * 1024;  // Waiting; beyond: kOverloaded.
inline constexpr size_t kRecordBytesMax = 8 * 1024 * 1024;        // One payload; larger: refused.
inline constexpr size_t kLogReserveBytes = 64 * 1024 * 1024;      // Kept for the control stream.
inline constexpr size_t kLogTailBytesMax = 64 * 1024 * 1024;  // Kept in memory for live readers.
inline constexpr size_t kLogReadChunkBytes = 1024 * 1024;     // Unit of reading closed segments.
inline constexpr size_t kLogReadCacheBytesMax = 64 * 1024 * 1024;  // Chunks kept; the oldest goes.
inline constexpr size_t kLogIndexesLoadedMax = 64;  // Of closed segments; the oldest goes.
inline constexpr int kLogSparesAhead = 2;           // Segments made ready beside the reserve.
inline constexpr base::DurationMs kDiskFullRetryMs = base::kSecondMs;  // Then room is sought again.

// --- fold ------------------------------------------------------------------------------------
inline constexpr int kPartitionsDefault = 16;
inline constexpr int kPartitionsMax = 1024;
inline constexpr int kCursorPersonsPerRecord = 256;      // Of wide records (semantics 7).
inline constexpr int kRoundsPerRecordMax = 32;           // Then an error fact (semantics 8).
inline constexpr size_t kAttributesMax = 500;            // A person; further ones are refused.
inline constexpr size_t kAttributeBytesMax = 4096;       // A value; longer ones are cut.
inline constexpr size_t kIdsPerPersonMax = 1000;         // Further ones still resolve.
inline constexpr size_t kJourneyEntriesMax = 200;        // Open ones a person; more: error fact.
inline constexpr size_t kMessagesPerPersonMax = 500;     // Kept in state; older in history.
inline constexpr size_t kWindowValuesMax = 1024;         // Of a windowed sum a person and
                                                         // condition; then the oldest two fuse.
inline constexpr int kCountThresholdMax = 10'000;        // "N+ times" inside a window.
inline constexpr size_t kCheckpointRecords = 1'000'000;  // Records between checkpoints.
inline constexpr base::DurationMs kCheckpointTimeMs = 30 * base::kSecondMs;
inline constexpr size_t kCheckpointsKept = 2;
inline constexpr size_t kStateSliceBytes = 1024 * 1024;            // Entries written together.
inline constexpr size_t kStateWriteBufferBytes = 4 * 1024 * 1024;  // A store; then a file is made.
inline constexpr size_t kStateWriteBuffersBytesMax = 32 * 1024 * 1024;  // All stores; as above.
inline constexpr size_t kStateCacheBytes = 8 * 1024 * 1024;  // Blocks, all stores; the oldest goes.
inline constexpr int kStateOpenFilesMax = 48;                // A store; the longest unused closes.
inline constexpr base::DurationMs kAheadOfMonotonicMax = 10 * base::kMinuteMs;  // semantics 4.
inline constexpr base::DurationMs kDownQuietMs = 60 * base::kSecondMs;
inline constexpr base::DurationMs kClaimsRefusedAfterDownMs = 120 * base::kSecondMs;
inline constexpr size_t kNamesMax = 1'000'000;  // Distinct event and attribute names.

// --- conditions ------------------------------------------------------------------------------
inline constexpr size_t kConditionBytesMax = 64 * 1024;
inline constexpr int kConditionDepthMax = 64;
inline constexpr size_t kConditionNodesMax = 2000;
inline constexpr base::DurationMs kConditionSpanMax =
    100LL * 365 * base::kDayMs;                            // Longer: refused.
inline constexpr size_t kPatternBytesMax = 1024;           // Of `matches`; longer: refused.
inline constexpr int64_t kPatternMemoryMax = 1024 * 1024;  // Of one compiled RE2; more: refused.

// --- warehouse -------------------------------------------------------------------------------
inline constexpr size_t kWarehouseBlockRows = 10'000;    // Or one second, whichever is first.
inline constexpr size_t kWarehouseBacklogRows = 50'000;  // An insert, when rows have piled up.
inline constexpr base::DurationMs kWarehouseBlockTimeMs = base::kSecondMs;
inline constexpr size_t kSpoolBytesMax = 8ULL * 1024 * 1024 * 1024;  // Beyond: events get 503.
inline constexpr size_t kSpoolMemoryBytesMax = 64 * 1024 * 1024;  // Beyond: read back from files.
inline constexpr size_t kSpoolBlockBytes = 256 * 1024;            // Entries a frame of the spool.
inline constexpr size_t kWarehouseBlockBytes = 16 * 1024 * 1024;  // An insert closes early at it.
inline constexpr size_t kWarehouseBodyBytesMax =
    64 * 1024 * 1024;                             // The child refuses larger: 413.
inline constexpr size_t kWarehouseQueueMax = 64;  // Requests waiting in the child; then 503.
inline constexpr base::DurationMs kWarehouseQueryTimeMs = 60 * base::kSecondMs;  // Then Code 159.
inline constexpr size_t kWarehouseSqlBytesMax = 256 * 1024;  // A statement; longer: refused.

// --- mail ------------------------------------------------------------------------------------
inline constexpr int kSmtpConnectionsMax = 128;
inline constexpr base::DurationMs kSmtpDotTimeMs = 10 * base::kMinuteMs;  // RFC 5321 4.5.3.2.6.
inline constexpr size_t kOpenClaimsPerConnection = 1;
inline constexpr size_t kOpenClaimsToMailbox = 64;  // Without a mail server.
inline constexpr size_t kDotSlots = 8192;           // 512 KB; then the longest settled goes.
inline constexpr base::DurationMs kClaimLeaseMs =
    30 * base::kSecondMs;                               // Real time; then an
                                                        // unanswered claim gives its place back.
inline constexpr size_t kLetterBytesMax = 1024 * 1024;  // Rendered; larger: failed.
inline constexpr size_t kSmtpQueueBytesMax = 64 * 1024 * 1024;  // Waiting; beyond: kOverloaded.
inline constexpr size_t kSmtpReplyLineBytesMax = 2048;          // Longer: the reply is malformed.
inline constexpr size_t kSmtpReplyBytesMax = 16 * 1024;         // All lines of one reply; as above.
inline constexpr size_t kSmtpReplyTextBytesMax = 512;         // Kept for the card; the rest is cut.
inline constexpr size_t kSmtpLastWriteBytesMax = 128 * 1024;  // Written together with the dot.
inline constexpr size_t kAddressBytesMax = 254;      // RFC 5321 4.5.3.1.3 less <>; refused.
inline constexpr size_t kLocalPartBytesMax = 64;     // RFC 5321 4.5.3.1.1; longer: refused.
inline constexpr size_t kDisplayNameBytesMax = 256;  // Of a sender or person; refused.
inline constexpr size_t kSubjectBytesMax = 998;      // UTF-8; longer: refused.
inline constexpr size_t kLetterLineBytesMax = 998;   // RFC 5322 2.1.1, without CRLF.
inline constexpr size_t kLetterHeadersMax = 64;      // Of a letter we check; more: refused.
inline constexpr size_t kTrackedUrlBytesMax = 1024;  // Longer links stay untracked, counted.
inline constexpr size_t kTrackedLinksMax = 500;      // A letter; further ones untracked.
inline constexpr size_t kTokenBytesMax = 2048;       // Text of a link token; longer: invalid.

// --- templates -------------------------------------------------------------------------------
inline constexpr int kTemplateStepsMax = 100'000;
inline constexpr int kTemplateDepthMax = 32;
inline constexpr size_t kTemplateOutputBytesMax = 1024 * 1024;
inline constexpr size_t kTemplateBytesMax = 1024 * 1024;  // Source; larger: refused.
inline constexpr int kTemplateTagWordsMax = 10'000;       // Between {% and %}; more: refused.
inline constexpr int kTemplateLoopItemsMax = 1000;        // Of one loop; more: render fails.

// --- api -------------------------------------------------------------------------------------
inline constexpr size_t kApiBodyBytesMax = 1024 * 1024;
inline constexpr int kPageLimitDefault = 50;
inline constexpr int kPageLimitMax = 500;
inline constexpr size_t kLongQueriesWaitingMax = 32;  // Scans, timelines; beyond: kOverloaded.
inline constexpr int kLongQueryThreads = 2;           // Answer those.
inline constexpr size_t kPreviewSampleMax = 10;       // Cards beside the count.
inline constexpr size_t kApiWritesWaitingMax = 256;   // Changes of definitions; beyond: 503.
inline constexpr size_t kApiParametersMax = 16;       // Of a query string; more: 400.
inline constexpr size_t kRefusedEventsKept = 1000;    // For the debugger; the oldest goes.
inline constexpr size_t kRecentCalls = 100'000;       // Joining calls; then half is forgotten.
inline constexpr base::DurationMs kRecentCallsMs =
    10 * base::kMinuteMs;                        // The same after this time.
// Names that builders offer: those used since then; the frequent ones of each kind.
inline constexpr base::DurationMs kNamesSeenMs = 90 * base::kDayMs;
inline constexpr int kNamesSeenMax = 2'000;
inline constexpr size_t kNamesSeenBytesMax = 4 * 1024 * 1024;
inline constexpr size_t kMailboxLetters = 1000;  // Of the built-in mailbox; the oldest goes.
inline constexpr size_t kMailboxBytesMax = 64 * 1024 * 1024;  // Of its letters; as above.

// --- accounts --------------------------------------------------------------------------------
inline constexpr size_t kPasswordCharactersMin = 10;
inline constexpr size_t kPasswordBytesMax = 1024;  // Longer: refused, before it is hashed.
inline constexpr int kHashThreads = 4;             // Argon2id: 46 MiB and a core each.
inline constexpr size_t kHashesWaitingMax = 32;    // Beyond: 503.
inline constexpr base::DurationMs kSessionIdleMs = 14 * base::kDayMs;
inline constexpr base::DurationMs kSessionLifeMs = 90 * base::kDayMs;
inline constexpr size_t kSessionsPerTeammateMax = 100;  // The longest unused goes.
inline constexpr base::DurationMs kUsesStoredMs = base::kHourMs;  // How late a last use may be.
inline constexpr uint32_t kSignInFreeTries = 5;                   // An account; then it waits.
inline constexpr uint32_t kSignInFreeTriesAddress = 20;           // An address; as above.
inline constexpr base::DurationMs kSignInLockMs = base::kSecondMs;          // Doubled each time.
inline constexpr base::DurationMs kSignInLockMaxMs = 15 * base::kMinuteMs;  // The longest.
inline constexpr base::DurationMs kSignInForgetMs = base::kDayMs;  // After the last failure.
inline constexpr size_t kSignInCountsMax = 10'000;                 // The longest unused goes.
inline constexpr size_t kKeysPerWorkspaceMax = 100;                // More: refused.
inline constexpr size_t kWorkspacesMax = 1000;                     // Living ones; more: refused.

// --- websocket (reliability.md) and the live stream -------------------------------------------
inline constexpr size_t kSocketMessageBytesMax = 64 * 1024;  // Larger: closed 1009.
inline constexpr size_t kSocketFragmentsMax = 32;            // Frames a message; as above.
inline constexpr size_t kSocketMessagesPerSecondMax = 20;    // More: closed 1008.
inline constexpr size_t kSocketWaitingBytesMax = 256 * 1024; // Unsent; beyond: closed 1013.
inline constexpr int kSocketSystemBytes = 64 * 1024;         // Of the system's own send buffer.
inline constexpr base::DurationMs kSocketPingMs = 30 * base::kSecondMs;  // Two unanswered: closed.
inline constexpr base::DurationMs kSocketLingerMs =
    10 * base::kSecondMs;   // For a slow peer to read up to the close; then it ends without.
inline constexpr size_t kLiveScreensMax = 10'000;            // Open streams; beyond: 503.
inline constexpr base::DurationMs kLiveFirstFrameMs = 5 * base::kSecondMs;  // Then closed 4401.
inline constexpr base::DurationMs kLiveAuthorityMs = 10 * base::kSecondMs;  // Asked again so often.
inline constexpr size_t kLivePersonsMax = 50;        // Cards a screen watches; more: refused.
inline constexpr size_t kLiveEventsPerFrameMax = 200;       // More: counted as skipped.
inline constexpr base::DurationMs kLiveFrameMs = 100;       // Between two frames of events.
inline constexpr base::DurationMs kLiveCountsMs = base::kSecondMs;  // The same of counts.
inline constexpr size_t kLiveReadBytesMax = 1024 * 1024;    // Of a partition's log, a frame; then
                                                            // the rest is skipped, counted.
inline constexpr uint64_t kLiveLookBackRecords = 5000;      // A partition, for who is here now.
inline constexpr size_t kLiveVisitorsMax = 200;      // Listed; the count goes on.
inline constexpr base::DurationMs kOnSiteMs = 5 * base::kMinuteMs;  // Since the last act.
inline constexpr size_t kRecentEventsMax = 1000;     // A workspace, found in the log's end.
inline constexpr size_t kRecentRecordsMax = 20'000;  // Looked through for them, a partition.
inline constexpr int kHomeDays = 30;                 // Of the chart on Home.

}  // namespace limits
