#pragma once

namespace vitrine {

/** The exit status of every tool of Vitrine. */
enum ExitStatus : int {
  ExitOk = 0,
  ExitFoundWanting = 1,  ///< it ran and failed; the reason is on stderr
  ExitMisused = 2,       ///< the command line or an input file is wrong
  ExitNotApplicable = 77 ///< this machine lacks what the tool needs; a test harness counts it as a skip
};

} // namespace vitrine
