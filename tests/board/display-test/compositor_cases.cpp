#include <algorithm>
#include <array>
#include <format>

#include "tests/board/common/png.h"
#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/compositor_stage.h"
#include "tests/board/display-test/lock_screen.h"
#include "tests/board/display-test/memory_search.h"
#include "tests/board/wayland/image_copy.h"
#include "tests/board/wayland/surface_protection.h"

/*
 * The Wayland compositor that WAYLAND_DISPLAY names, ours or another, as a client sees it.
 *
 * A window shows one colour, in an ordinary buffer and then in a protected one. That a capture shows the first proves that it can
 * show the window; then it must not show the second.
 */

namespace vitrine::display_test {
namespace {

Result<> shows(Trial& trial) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  trial.saw("compositor", trial.board().compositor);
  const auto shown = (*stage)->showProtected(trial, protectedColour(trial.secret()));
  trial.expect(shown.has_value(), "protected XRGB8888 buffer in a window", shown ? "presented" : shown.error().text());
  return {};
}

/** What a capture shows, or the compositor's refusal. */
template<typename Buffer>
Result<Captured> toPixels(const Result<Buffer>& capture) {
  if (!capture) return std::unexpected(capture.error());
  auto pixels = pixelsOf(*capture);
  if (!pixels) return std::unexpected(pixels.error());
  return Captured{capture->size(), std::move(*pixels)};
}

using Capture = Result<Captured> (*)(Stage&);

/** A window and a way to capture it. */
class Recording {
public:
  Recording(Trial& trial, Stage& stage, Capture capture)
      : trial_(trial), stage_(stage), capture_(capture), content_(protectedColour(trial.secret())) {}

  /** Shows an ordinary window. False, and the case is skipped, if a capture does not show it. */
  Result<bool> begin();
  /** Shows a protected buffer, and expects nothing of it in a capture. `when`: `in fullscreen`. */
  Result<> showProtected(std::string_view when);
  /** Expects nothing of the content in a capture. Notes how many pixels of it have another colour. */
  void expectNothing(std::string_view when, const std::optional<Colour>& other = {});

private:
  Trial& trial_;
  Stage& stage_;
  Capture capture_;
  Colour content_;
  size_t elsewhere_ = 0; ///< pixels that have the content's colour by chance
};

Result<bool> Recording::begin() {
  trial_.saw("compositor", trial_.board().compositor);
  const Colour ordinary = ordinaryColour(trial_.secret());
  if (auto shown = stage_.showOrdinary(ordinary); !shown) return std::unexpected(shown.error());
  const auto before = capture_(stage_);
  if (!before) {
    (void)trial_.skip("the compositor captures nothing: " + before.error().text());
    return false;
  }
  const size_t window = countOf(*before, ordinary);
  trial_.saw("pixels of an ordinary window in a capture", std::to_string(window));
  elsewhere_ = countOf(*before, content_);
  if (window == 0) (void)trial_.skip("a capture does not show an ordinary window either: it proves nothing");
  return window > 0;
}

void Recording::expectNothing(std::string_view when, const std::optional<Colour>& other) {
  const auto during = capture_(stage_);
  if (!during) { // it refuses while protected content is shown
    trial_.saw(std::format("capture {}", when), during.error().text());
    return;
  }
  const size_t leaked = countOf(*during, content_);
  trial_.show(std::format("captured {}", when), encodePng(during->size, during->pixels).value_or(""));
  trial_.expect(leaked <= elsewhere_, std::format("pixels of protected content in a capture {}", when),
                std::to_string(leaked));
  if (other) trial_.saw("pixels of the lock screen in it", std::to_string(countOf(*during, *other)));
}

Result<> Recording::showProtected(std::string_view when) {
  if (auto shown = stage_.showProtected(trial_, content_); !shown) return shown;
  expectNothing(when);
  return {};
}

/** Nothing of a protected window is in one kind of capture. */
Result<> capturesNothing(Trial& trial, Capture capture) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  Recording recording(trial, **stage, capture);
  if (const auto begun = recording.begin(); !begun || !*begun)
    return begun ? Result<>() : std::unexpected(begun.error());
  return recording.showProtected("while protected content was shown");
}

Result<> screencopyToMemory(Trial& trial) {
  return capturesNothing(trial, [](Stage& stage) { return toPixels(captureIntoShm(stage.connection())); });
}

Result<> screencopyToDmabuf(Trial& trial) {
  return capturesNothing(trial, [](Stage& stage) { return toPixels(captureIntoDmabuf(stage.connection())); });
}

Result<> imageCopyOfOutput(Trial& trial) {
  return capturesNothing(trial, [](Stage& stage) { return toPixels(imageOfOutput(stage.connection())); });
}

Result<> imageCopyOfWindow(Trial& trial) {
  return capturesNothing(trial,
                         [](Stage& stage) { return toPixels(imageOfWindow(stage.connection(), stage.title())); });
}

/** The output, by whichever way the compositor has. */
Result<Captured> captureOutput(Stage& stage) {
  if (stage.connection().globals().screencopy) return toPixels(captureIntoShm(stage.connection()));
  return toPixels(imageOfOutput(stage.connection()));
}

std::string presentationText(const Stage& stage) {
  return stage.presentation().zeroCopy ? "the display reads the buffer itself" : "composed";
}

Result<> switchesPath(Trial& trial) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  VideoWindow& window = (*stage)->window();
  const auto covered = window.setCovered(true);
  if (!covered) trial.saw("translucent surface over the window", covered.error().text());
  Recording recording(trial, **stage, captureOutput);
  if (const auto begun = recording.begin(); !begun || !*begun)
    return begun ? Result<>() : std::unexpected(begun.error());
  const auto step = [&](std::string_view when) -> Result<> {
    if (auto shown = recording.showProtected(when); !shown) return shown;
    trial.saw(std::format("how it is presented {}", when), presentationText(**stage));
    return {};
  };
  if (covered) {
    if (auto done = step("under a translucent surface"); !done) return done;
    if (auto done = window.setCovered(false); !done) return done;
  }
  if (auto done = step("in a window"); !done) return done;
  if (auto done = window.setFullscreen(true); !done) return done;
  if (auto done = step(window.fullscreen() ? "in fullscreen" : "where fullscreen was refused"); !done) return done;
  if (auto done = window.setFullscreen(false); !done) return done;
  return step("in a window again");
}

Result<> locks(Trial& trial) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  trial.saw("compositor", trial.board().compositor);
  if (auto shown = (*stage)->showProtected(trial, protectedColour(trial.secret())); !shown) return shown;
  const Colour colour = ordinaryColour(trial.secret());
  auto lock = LockScreen::lock(colour);
  if (!lock) return std::unexpected(lock.error());
  Recording recording(trial, **stage, captureOutput);
  recording.expectNothing("while the session is locked", colour);
  const auto unlocked = lock->unlock();
  trial.expect(unlocked.has_value(), "unlock", unlocked ? "succeeded" : unlocked.error().text());
  if (auto shown = (*stage)->showAgain(); !shown) return shown;
  recording.expectNothing("after the session is unlocked", colour);
  return {};
}

std::string answerText(const ProtectionAnswer& answer) {
  return answer.refusal.empty() ? answer.path : std::format("{} ({}: {})", answer.path, answer.refusal, answer.reason);
}

Result<> tells(Trial& trial) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  WaylandConnection& connection = (*stage)->connection();
  if (!connection.globals().protectedContent) return trial.skip("the compositor lacks vitrine_protected_content_v1");
  SurfaceProtection protection(connection, (*stage)->window().surface());
  std::vector<ProtectionAnswer> outcomes;
  protection.onOutcome = [&outcomes](const ProtectionAnswer& outcome) { outcomes.push_back(outcome); };
  const auto hears = [&](const char* what) { return (*stage)->waitUntil([&] { return !outcomes.empty(); }, what); };
  if (auto shown = (*stage)->showProtected(trial, protectedColour(trial.secret())); !shown) return shown;
  if (auto told = hears("what became of a protected buffer"); !told) return told;
  const ProtectionAnswer outcome = outcomes.back();
  const auto attainable = std::ranges::find(protection.attainable(), outcome.output, &ProtectionAnswer::output);
  const bool possible = attainable == protection.attainable().end() || attainable->path != "placeholder";
  if (attainable != protection.attainable().end()) trial.saw("what can be had", answerText(*attainable));
  trial.saw("how it is presented", presentationText(**stage));
  trial.expect((outcome.path != "placeholder") == possible && (possible || !outcome.refusal.empty()),
               "what the client is told of a protected buffer", answerText(outcome));
  outcomes.clear();
  if (auto shown = (*stage)->showOrdinary(ordinaryColour(trial.secret())); !shown) return shown;
  if (auto told = hears("what became of an ordinary buffer"); !told) return told;
  trial.expect(outcomes.back().path == "placeholder" && !outcomes.back().refusal.empty(),
               "what the client is told of an ordinary buffer where it demands protection",
               answerText(outcomes.back()));
  return {};
}

/** After the window was shown and captured, neither the compositor nor another process has its pixels. */
Result<> keepsNothing(Trial& trial) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  trial.saw("compositor", trial.board().compositor);
  Secret pixels = trial.secret(); // four of them: one colour alone is in tables of many programs
  for (size_t i = 3; i < pixels.size(); i += 4)
    pixels[i] = 0xff; // as GPUs write the byte that is not used
  if (auto shown = (*stage)->showProtected(trial, pixels); !shown) return shown;
  const auto captured = captureOutput(**stage);
  trial.saw("capture", captured ? "taken" : captured.error().text());
  const Searched searched = searchProcesses(pixels);
  if (searched.places == 0) return trial.skip("the memory of no other process may be read: run as root");
  report(trial, searched, "processes");
  report(trial, searchOpenFiles(pixels), "files without a name");
  return {};
}

constexpr uint32_t plays = NeedHeap | NeedFill | NeedWayland;
constexpr std::string_view captureRule = "Vitrine's rule R5: a capture shows a placeholder; weston's "
                                         "content-protection extension, and EGL_EXT_protected_content: "
                                         "protected content reaches no unprotected surface";

constexpr std::array cases = {
    Case{"compositor/shows", "The compositor takes a protected buffer of a client and presents it.",
         "linux-dmabuf-v1, zwp_linux_buffer_params_v1.created; presentation-time, wp_presentation_feedback.presented",
         plays, Shows, 1, shows},
    Case{"compositor/screencopy-shm", "What screenshot tools get of the output shows nothing of a protected window.",
         captureRule, plays, Shows, 2, screencopyToMemory},
    Case{"compositor/screencopy-dmabuf",
         "What recorders get in a dma-buf of their own shows nothing of a protected window.", captureRule,
         plays | NeedOrdinary, Shows, 2, screencopyToDmabuf},
    Case{"compositor/image-copy-output",
         "What ext-image-copy-capture-v1 gives of the output shows nothing of a protected window.", captureRule, plays,
         Shows, 2, imageCopyOfOutput},
    Case{"compositor/image-copy-window",
         "What ext-image-copy-capture-v1 gives of the protected window itself shows nothing of its content.",
         captureRule, plays, Shows, 2, imageCopyOfWindow},
    Case{"compositor/path-switches",
         "Nothing of a protected window is in a capture while it moves between plane and composition: in a window, "
         "under another surface, in fullscreen, and back.",
         captureRule, plays, Shows, 3, switchesPath},
    Case{"compositor/lock",
         "While the session is locked, a capture shows nothing of a protected window, and nothing of it after the "
         "unlock.",
         "ext-session-lock-v1, `locked`: all normal rendering is hidden; Vitrine's rule R5", plays, Shows | MayHang, 3,
         locks},
    Case{"compositor/told",
         "The client is told what became of its protected buffer, and that an ordinary one is not shown where it "
         "demands protection.",
         "vitrine_protected_content_v1: vitrine_protected_surface_v1.outcome, require_evidence", plays, Shows, 1,
         tells},
    Case{
        "compositor/memory",
        "While a protected window is shown, and after a capture of it, no other process has its pixels in memory or in "
        "a file without a name; the compositor least of all.",
        "protected heaps: the content is in no memory that the CPU may read (Documentation/userspace-api/"
        "dma-buf-heaps.rst)",
        plays, Shows, 3, keepsNothing},
};

} // namespace

std::span<const Case> compositorCases() {
  return cases;
}

} // namespace vitrine::display_test
