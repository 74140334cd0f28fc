#include <array>
#include <csignal>
#include <format>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/test_display.h"

namespace vitrine::display_test {
namespace {

std::string planeText(const Plane& plane, uint32_t fourcc) {
  return std::format("plane {} ({}), {}", plane.id, planeTypeName(plane.type), fourccName(fourcc));
}

/** Compares the two sights of one plane, and keeps the pictures of the first plane and of those that differ. */
void compareSights(Trial& trial, const std::string& what, const Sight& ordinary, const Sight& inHeap,
                   const Rect& part) {
  const bool equal = ordinary == inHeap;
  trial.expect(equal, what,
               equal         ? "the same picture"
               : inHeap.dark ? "dark"
                             : "another picture than of ordinary memory");
  if (equal && !trial.outcome().pictures.empty()) return;
  for (const auto& [title, sight] : {std::pair{"ordinary memory", &ordinary}, std::pair{"protected memory", &inHeap}}) {
    std::string png = sight->png(part);
    if (!png.empty()) trial.show(what + ": " + title, std::move(png));
  }
}

/** One plane with one format; false where the plane cannot show it at all. */
Result<bool> samePictureOn(Trial& trial, TestDisplay& display, const Eye& eye, const Plane& plane, uint32_t fourcc) {
  const std::string what = planeText(plane, fourcc);
  const auto ordinary = display.ordinary(fourcc, TestDisplay::pictureSize);
  const auto inHeap = display.inHeap(trial, fourcc, TestDisplay::pictureSize);
  if (!ordinary || !inHeap) return std::unexpected((ordinary ? inHeap : ordinary).error());
  const auto alone = display.frame(nullptr, nullptr);
  const auto first = display.frame(&plane, &*ordinary);
  const auto second = display.frame(&plane, &*inHeap);
  if (auto shown = display.show(alone); !shown) return std::unexpected(shown.error());
  const auto background = look(eye);
  if (auto shown = display.show(first); !shown) {
    trial.saw(what, "not even with ordinary memory: " + shown.error().text());
    return false;
  }
  const auto right = look(eye);
  if (!background || !right) return std::unexpected((background ? right : background).error());
  if (*right == *background) {
    trial.saw(what, "hidden below the primary");
    return false;
  }
  const auto shown = display.show(second);
  if (!trial.expect(shown.has_value(), what, shown ? "shown" : shown.error().text())) return true;
  const auto seen = look(eye);
  if (!seen) return std::unexpected(seen.error());
  compareSights(trial, what, *right, *seen, TestDisplay::place);
  return true;
}

template<uint32_t fourcc>
Result<> samePicture(Trial& trial) {
  const auto display = TestDisplay::open(trial.board());
  if (!display) return std::unexpected(display.error());
  const Eye eye = findEye(trial.board().card);
  trial.saw("looked at by", eye.name);
  bool any = false;
  for (const Plane* plane : (*display)->overlays()) {
    if (!plane->hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR)) continue;
    const auto done = samePictureOn(trial, **display, eye, *plane, fourcc);
    if (!done) return std::unexpected(done.error());
    any |= *done;
  }
  return any ? Result<>() : trial.skip(std::format("no overlay plane shows {}", fourccName(fourcc)));
}

Result<> samePrimary(Trial& trial) {
  const auto display = TestDisplay::open(trial.board());
  if (!display) return std::unexpected(display.error());
  const Eye eye = findEye(trial.board().card);
  const Size size = (*display)->mode().size;
  const auto ordinary = (*display)->ordinary(DRM_FORMAT_XRGB8888, size);
  const auto inHeap = (*display)->inHeap(trial, DRM_FORMAT_XRGB8888, size);
  if (!ordinary) return std::unexpected(ordinary.error());
  if (!inHeap) return trial.skip("the heap gives no buffer of the screen's size: " + inHeap.error().text());
  const auto first = (*display)->primaryFrame(*ordinary);
  const auto second = (*display)->primaryFrame(*inHeap);
  if (auto shown = (*display)->show(first); !shown) return std::unexpected(shown.error());
  const auto right = look(eye);
  const auto shown = (*display)->show(second);
  if (!trial.expect(shown.has_value(), "primary plane, XRGB8888", shown ? "shown" : shown.error().text())) return {};
  const auto seen = look(eye);
  if (!right || !seen) return std::unexpected((right ? seen : right).error());
  compareSights(trial, "primary plane, XRGB8888", *right, *seen, TestDisplay::place);
  return {};
}

Result<> testIsKept(Trial& trial) {
  const auto display = TestDisplay::open(trial.board());
  if (!display) return std::unexpected(display.error());
  const auto inHeap = (*display)->inHeap(trial, DRM_FORMAT_XRGB8888, TestDisplay::pictureSize);
  if (!inHeap) return std::unexpected(inHeap.error());
  for (const Plane* plane : (*display)->overlays()) {
    if (!plane->hasFormat(DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR)) continue;
    const auto frame = (*display)->frame(plane, &*inHeap);
    const auto tested = (*display)->test(frame);
    const auto shown = (*display)->show(frame);
    const auto textOf = [](const Result<>& result) { return result ? "passed" : result.error().text(); };
    trial.expect(tested.has_value() == shown.has_value(), planeText(*plane, DRM_FORMAT_XRGB8888),
                 std::format("TEST_ONLY: {}; commit: {}", textOf(tested), textOf(shown)));
  }
  return {};
}

/** Shows the picture in the heap's memory on the first plane that takes it. */
Result<> showFirst(TestDisplay& display, const TestPicture& picture) {
  Result<> last = missing("show", "XRGB8888", "no overlay plane takes it");
  for (const Plane* plane : display.overlays()) {
    if (!plane->hasFormat(DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR)) continue;
    const auto frame = display.frame(plane, &picture);
    last = display.show(frame);
    if (last) return last;
  }
  return last;
}

Result<> removed(Trial& trial) {
  const auto display = TestDisplay::open(trial.board());
  if (!display) return std::unexpected(display.error());
  const Eye eye = findEye(trial.board().card);
  const auto before = look(eye);
  const auto picture = (*display)->inHeap(trial, DRM_FORMAT_XRGB8888, TestDisplay::pictureSize);
  if (!before || !picture) return std::unexpected(before ? picture.error() : before.error());
  if (auto shown = showFirst(**display, *picture); !shown)
    return trial.skip("no plane shows protected memory: " + shown.error().text());
  const auto alone = (*display)->frame(nullptr, nullptr);
  if (auto shown = (*display)->show(alone); !shown) return std::unexpected(shown.error());
  const auto after = look(eye);
  if (!after) return std::unexpected(after.error());
  trial.expect(*after == *before, "picture after the plane was turned off",
               *after == *before ? "the background" : "not the background");
  if (*after != *before) trial.show("after the plane was turned off", after->png(TestDisplay::place));
  return {};
}

/** In a child: shows protected memory until it is killed. Writes one byte once it is on the screen, `-` where it cannot be. */
[[noreturn]] void showUntilKilled(Trial& trial, int ready) {
  const auto display = TestDisplay::open(trial.board());
  if (display) {
    const auto picture = (*display)->inHeap(trial, DRM_FORMAT_XRGB8888, TestDisplay::pictureSize);
    const bool shown = picture && showFirst(**display, *picture);
    if (write(ready, shown ? "+" : "-", 1) == 1)
      while (shown)
        pause();
  }
  _exit(1);
}

Result<> killed(Trial& trial) {
  const Eye eye = findEye(trial.board().card);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return systemError("pipe2", "child");
  const UniqueFd readEnd(ends[0]);
  UniqueFd writeEnd(ends[1]);
  const pid_t child = fork();
  if (child == 0) showUntilKilled(trial, writeEnd.get());
  writeEnd.reset();
  char answer = 0;
  const bool shown = read(readEnd.get(), &answer, 1) == 1 && answer == '+';
  const auto with = shown ? look(eye) : Result<Sight>(Sight{});
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  if (!shown) return trial.skip("no plane shows protected memory");
  const auto after = look(eye);
  if (!with || !after) return std::unexpected((with ? after : with).error());
  trial.expect(*after != *with, "display after its process was killed",
               after->dark       ? "dark"
               : *after == *with ? "still the protected picture"
                                 : "another picture");
  return {};
}

constexpr std::string_view sameContent = "KMS shows a framebuffer's memory; which memory that is makes no difference "
                                         "(igt's kms_plane compares CRCs in the same way)";
constexpr uint32_t shows = NeedHeap | NeedFill | NeedCard | NeedMaster | NeedEye;

constexpr std::array cases = {
    Case{"kms/overlay-rgb",
         "Each overlay plane shows protected XRGB8888 exactly as it shows the same picture in ordinary memory.",
         sameContent, shows, Shows | MayHang, 3, samePicture<DRM_FORMAT_XRGB8888>},
    Case{"kms/overlay-yuv",
         "Each overlay plane shows protected NV12 exactly as it shows the same picture in ordinary memory.",
         sameContent, shows, Shows | MayHang, 3, samePicture<DRM_FORMAT_NV12>},
    Case{"kms/primary",
         "The primary plane shows protected XRGB8888 exactly as it shows the same picture in ordinary memory.",
         sameContent, shows, Shows | MayHang, 2, samePrimary},
    Case{"kms/test-is-kept", "What TEST_ONLY accepts with protected memory, the commit accepts too.",
         "linux/drm_mode.h: DRM_MODE_ATOMIC_TEST_ONLY; it does not run prepare_fb, where a driver may find that it "
         "cannot read the memory",
         NeedHeap | NeedFill | NeedCard | NeedMaster, Shows | MayHang, 1, testIsKept},
    Case{"kms/removed", "After the plane is turned off, nothing of the protected picture is on the screen.",
         sameContent, shows, Shows | MayHang, 1, removed},
    Case{"kms/killed", "After the process that shows it was killed, the protected picture is not on the screen.",
         "drivers/gpu/drm/drm_framebuffer.c: drm_fb_release() removes a closed file's framebuffers from their planes",
         shows, Shows | MayHang, 2, killed},
};

} // namespace

std::span<const Case> kmsCases() {
  return cases;
}

} // namespace vitrine::display_test
