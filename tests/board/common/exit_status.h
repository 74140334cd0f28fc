#pragma once

namespace vitrine {

/** What every tool of Vitrine ends with. */
enum ExitStatus : int {
  ExitOk = 0,
  ExitFoundWanting = 1,  ///< it was tried and did not work; the reason is on stderr
  ExitMisused = 2,       ///< the command line or an input file is wrong
  ExitNotApplicable = 77 ///< this machine lacks what the tool is about; a test harness counts it as a skip
};

} // namespace vitrine
