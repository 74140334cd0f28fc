#include "compositor/control/session_control.h"

#include <nlohmann/json.hpp>

namespace vitrine {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/** Titles are a client's: what is not UTF-8 in them is replaced. */
std::string lineOf(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json failure(const std::string& error) {
  return {{"ok", false}, {"error", error}};
}

ordered_json outcome(const Result<>& done) {
  return done ? ordered_json{{"ok", true}} : failure(done.error().text());
}

const std::string* stringIn(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() ? found->get_ptr<const std::string*>() : nullptr;
}

} // namespace

ordered_json SessionControl::status() const {
  return {{"version", VITRINE_VERSION},
          {"outputs", session_.outputs()},
          {"windows", session_.windows()},
          {"counters", session_.counters()}};
}

ordered_json SessionControl::perform(const json& request) const {
  const std::string* text = stringIn(request, "action");
  if (text == nullptr) return failure("the request \"action\" needs the string \"action\"");
  const auto action = parseAction(*text);
  if (!action) return failure(action.error().text());
  return outcome(session_.perform(*action));
}

ordered_json SessionControl::reply(const std::string& what, const json& request) const {
  if (what == "version") return {{"ok", true}, {"version", VITRINE_VERSION}, {"protocol", 1}};
  if (what == "status" || what == "watch") return {{"ok", true}, {"status", status()}};
  if (what == "outputs") return {{"ok", true}, {"outputs", session_.outputs()}};
  if (what == "windows") return {{"ok", true}, {"windows", session_.windows()}};
  if (what == "counters") return {{"ok", true}, {"counters", session_.counters()}};
  if (what == "actions") return {{"ok", true}, {"actions", session_.actions()}};
  if (what == "action") return perform(request);
  if (what == "reload") return outcome(session_.reload());
  return failure("there is no request \"" + what +
                 "\"; the requests are version, status, outputs, windows, counters, actions, action, reload and watch");
}

ControlSocket::Reply SessionControl::answer(std::string_view line) const {
  const json request = json::parse(line, nullptr, false);
  const std::string* what = request.is_object() ? stringIn(request, "request") : nullptr;
  if (what == nullptr) return {lineOf(failure("a request is a JSON object with the string \"request\""))};
  ordered_json replied = reply(*what, request);
  if (const auto id = request.find("id"); id != request.end()) replied["id"] = *id;
  return {lineOf(replied), *what == "watch"};
}

std::string SessionControl::report() const {
  return lineOf({{"event", "status"}, {"status", status()}});
}

} // namespace vitrine
