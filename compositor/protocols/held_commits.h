#pragma once

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * R8: holds back the commit that `surface` is handling (call it from within client_commit) until `fence` is readable: a sync file,
 * or an eventfd. Until then the surface shows what it showed before, and no frame waits. Several fences of one commit all count.
 * Commits after it wait behind it. What is still held back when the surface is destroyed is never applied. Where there is no memory
 * to wait, that is the client's error (wl_display.no_memory).
 */
void holdCommitUntil(wlr_surface& surface, UniqueFd fence);

} // namespace vitrine
