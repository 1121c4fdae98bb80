#include "api/openapi.h"
#include "api/resources.h"
#include "api/web_pages.h"

namespace api {
namespace {

void Count(std::string& out, std::string_view name, std::string_view help, uint64_t value) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    out.append(name).append(" counter\n").append(name).append(" ");
    out.append(std::to_string(value)).append("\n");
}

}  // namespace

void GetHealth(Call&& call) { call.respond(http::Response::Json(200, "{\"alive\":true}")); }

void GetReady(Call&& call) {
    if (call.services.ready && !call.services.ready()) {
        return Reply(call.respond, tl::make_unexpected(base::Error{
                                       base::ErrorCode::kUnavailable, "catching up",
                                       "The server is reading its log.", {}}));
    }
    call.respond(http::Response::Json(200, "{\"ready\":true}"));
}

void GetMetrics(Call&& call) {
    Services& services = call.services;
    const TrackingCounts& counts = services.counts;
    std::string out = services.metrics ? services.metrics() : std::string();
    if (!out.empty() && out.back() != '\n') out.push_back('\n');
    Count(out, "ripen_tracking_requests_total", "Requests to the tracking API.", counts.requests);
    Count(out, "ripen_tracking_events_total", "Events made durable.", counts.events);
    Count(out, "ripen_tracking_refused_total", "Events and requests refused as wrong.",
          services.refused.total());
    Count(out, "ripen_tracking_links_total", "Link records appended.", counts.links);
    Count(out, "ripen_tracking_not_tracked_total", "Events not kept because of DNT or GPC.",
          counts.not_tracked);
    Count(out, "ripen_tracking_turned_away_total", "Requests answered 503.", counts.turned_away);
    Count(out, "ripen_receipts_total", "Opens, clicks and unsubscribes taken.", counts.receipts);
    Count(out, "ripen_receipts_lost_total", "Opens and clicks the log did not take.",
          counts.receipts_lost);
    out += "# HELP ripen_live_screens Open live streams.\n# TYPE ripen_live_screens gauge\n"
           "ripen_live_screens " + std::to_string(services.live_screens.load()) + "\n";
    http::Response response = http::Response::Text(200, std::move(out));
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    call.respond(std::move(response));
}

void GetOpenApi(Call&& call) {
    http::Response response = http::Response::Text(200, std::string(OpenApiYaml()));
    response.content_type = "application/yaml";
    call.respond(std::move(response));
}

void GetRoot(Call&& call) { call.respond(*ScreenPage(call.services, call.request)); }

}  // namespace api
