// See page.h.
#include "fuzzers/explain/page.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

extern "C" {
extern const char cancelsafe_run_page_begin[];
extern const char cancelsafe_run_page_end[];
}

namespace cancelsafe {
namespace {

using nlohmann::json;

constexpr double kRowMicroseconds = 10;
// Threads of a fiber, from the one with its number on.
constexpr int kThreadsPerFiber = 10;
constexpr int kLockThread = 1;
constexpr int kCancelLockThread = 2;

class Trace {
 public:
  void Name(int thread, const std::string& name) {
    Add({{"ph", "M"}, {"name", "thread_name"}, {"tid", thread}, {"args", {{"name", name}}}});
    Add({{"ph", "M"},
         {"name", "thread_sort_index"},
         {"tid", thread},
         {"args", {{"sort_index", thread}}}});
  }
  void Slice(int thread, const std::string& name, double from, double to, json args) {
    Add({{"ph", "X"},
         {"name", name},
         {"tid", thread},
         {"ts", std::llround(from * kRowMicroseconds)},
         {"dur", std::max(1LL, std::llround((to - from) * kRowMicroseconds))},
         {"args", std::move(args)}});
  }
  void Instant(int thread, const std::string& name, double at) {
    Add({{"ph", "i"},
         {"name", name},
         {"tid", thread},
         {"ts", std::llround(at * kRowMicroseconds)},
         {"s", "t"}});
  }
  void Flow(int id, const std::string& name, int from_thread, double from, int to_thread,
            double to) {
    Add({{"ph", "s"},
         {"cat", "happens-before"},
         {"name", name},
         {"id", id},
         {"tid", from_thread},
         {"ts", std::llround(from * kRowMicroseconds)}});
    Add({{"ph", "f"},
         {"bp", "e"},
         {"cat", "happens-before"},
         {"name", name},
         {"id", id},
         {"tid", to_thread},
         {"ts", std::llround(to * kRowMicroseconds)}});
  }
  void Counter(const std::string& name, double at, int value) {
    Add({{"ph", "C"},
         {"name", name},
         {"tid", 0},
         {"ts", std::llround(at * kRowMicroseconds)},
         {"args", {{"level", value}}}});
  }
  std::string Print(const json& other) const {
    return json({{"traceEvents", events_}, {"displayTimeUnit", "ns"}, {"otherData", other}})
               .dump(1) +
           "\n";
  }

 private:
  void Add(json event) {
    event["pid"] = 1;
    events_.push_back(std::move(event));
  }
  json events_ = json::array();
};

std::string Text(const json& value) { return value.get<std::string>(); }

}  // namespace

std::string PageOf(const nlohmann::json& scene) {
  // Inside a script element only its end tag and a comment's start could be mistaken.
  const std::string data = absl::StrReplaceAll(
      scene.dump(-1, ' ', true, json::error_handler_t::replace), {{"<", "\\u003c"}});
  const std::string page(cancelsafe_run_page_begin, cancelsafe_run_page_end);
  return absl::StrReplaceAll(page, {{"@SCENE@", data}});
}

std::string ChromeTraceOf(const nlohmann::json& scene) {
  Trace trace;
  const int fibers = scene["fibers"];
  for (int f = 0; f < fibers; ++f) {
    const std::string lane =
        scene.contains("lanes") ? Text(scene["lanes"][f]) : absl::StrCat("fiber ", f);
    trace.Name(f * kThreadsPerFiber, lane);
    trace.Name(f * kThreadsPerFiber + kLockThread, absl::StrCat(lane, ": queue lock"));
    trace.Name(f * kThreadsPerFiber + kCancelLockThread, absl::StrCat(lane, ": cancel lock"));
  }
  const auto thread = [](const json& item) { return item["fiber"].get<int>() * kThreadsPerFiber; };
  for (const json& call : scene["calls"]) {
    trace.Slice(thread(call), Text(call["text"]), call["from"], call["to"].get<double>() + 0.9,
                {{"outcome", call["outcome"]},
                 {"details", call["details"]},
                 {"violation", call["guilty"]},
                 {"place in the order that works", call["order"]}});
  }
  for (const json& event : scene["events"]) {
    trace.Slice(thread(event), Text(event["text"]), event["row"].get<double>() + 0.05,
                event["row"].get<double>() + 0.85,
                {{"details", event["details"]}, {"violation", event["guilty"]}});
  }
  for (const json& mark : scene["marks"]) {
    trace.Instant(thread(mark), Text(mark["text"]), mark["row"].get<double>() + 0.5);
  }
  for (const json& lock : scene["locks"]) {
    const bool cancel = lock["name"] == "cancel lock";
    trace.Slice(thread(lock) + (cancel ? kCancelLockThread : kLockThread), Text(lock["name"]),
                lock["from"].get<double>() + 0.5, lock["to"].get<double>() + 0.5, json::object());
  }
  for (const json& span : scene["irql"]) {
    trace.Counter(absl::StrCat("IRQL of fiber ", span["fiber"].get<int>()),
                  span["from"].get<double>() + 0.5, span["level"]);
  }
  int id = 0;
  for (const json& arrow : scene["arrows"]) {
    trace.Flow(++id, Text(arrow["by"]), arrow["from_fiber"].get<int>() * kThreadsPerFiber,
               arrow["from"].get<double>() + 0.4, arrow["to_fiber"].get<int>() * kThreadsPerFiber,
               arrow["to"].get<double>() + 0.6);
  }
  return trace.Print({{"verdict", scene["verdict"]}, {"reason", scene["reason"]}});
}

}  // namespace cancelsafe
