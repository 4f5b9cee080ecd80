// What a run survives: kill -9 at any moment, SIGTERM, a full disk and failing renames during a
// checkpoint. It ends with the same bits.
#include "support.hpp"

#include <chrono>
#include <random>

using namespace tools_test;

namespace {

/// A small training that saves after every batch.
struct Training {
  Folder folder;
  Training() {
    write_records(folder / "data/data_batch_1.bin", 48);
    write_records(folder / "data/test_batch.bin", 8);
  }
  std::string command(const std::string& out, const std::string& more = "") const {
    return train + " --data " + (folder / "data") +
           " --objective fgsm-rs --epochs 2 --batch 4 --seed 3 --save-every-steps 1 --eval-n 8 "
           "--eval-pgd-n 0 --final-pgd-n 4 --progress plain --out " +
           (folder / out) + more;
  }
  std::string result(const std::string& out) const { return result_of(folder.path / out); }
};

}  // namespace

TEST_CASE(
    "kill -9 at twenty moments, each followed by a resume: the bits of a run that was never "
    "killed") {
  const Training t;
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(call(t.folder, t.command("whole")).code == 0);
  const int duration = int(std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::steady_clock::now() - begin)
                               .count());
  const std::string expected = t.result("whole");

  std::mt19937 random(20);
  int killed = 0, sessions = 0;
  for (; sessions < 20; ++sessions) {
    // on average so that twenty sessions do not reach the end
    const int status =
        signalled(t.command("killed"), SIGKILL, 1 + int(random() % (duration / 12 + 1)));
    killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }
  CHECK(killed == 20);
  const Result r = call(t.folder, t.command("killed"));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  CHECK(t.result("killed") == expected);
}

TEST_CASE(
    "SIGTERM: the step is finished, a checkpoint written, exit code 75; resumed, the same bits") {
  const Training t;
  REQUIRE(call(t.folder, t.command("whole")).code == 0);
  int status = 0;
  for (int wait = 400; wait < 5000;
       wait += 400) {  // slow machines: until one is stopped in the middle
    status = signalled(t.command("stopped"), SIGTERM, wait);
    if (fs::exists(t.folder.path / "stopped/ckpt/LATEST")) break;
  }
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 75);
  CHECK(call(t.folder, t.command("stopped")).code == 0);
  CHECK(t.result("stopped") == t.result("whole"));
}

TEST_CASE(
    "one run directory, one process; a reader that goes away and a full stderr end no training") {
  const Training t;
  const Result both = call(t.folder, "( " + t.command("one") + " & p=$!; sleep 0.5; " +
                                         t.command("one") + "; echo code $?; wait $p )");
  CHECK_MESSAGE(both.text.find("is in use by another rnx-train") != std::string::npos, both.text);
  CHECK(both.text.find("code 2") != std::string::npos);
  const Result piped = call(t.folder, t.command("piped") + " | head -1");
  CHECK(t.result("piped") == t.result("one"));
  const Result full =
      call(t.folder, "export LD_PRELOAD=" RNX_FAILING_CALLS " RNX_TEST_FAIL=rename:12:4; " +
                         t.command("full") + " 2> /dev/full");
  CHECK(full.code == 0);
  CHECK(t.result("full") == t.result("one"));
}

TEST_CASE("a full disk, failing renames and failing syncs during checkpoints lose nothing") {
  const Training t;
  REQUIRE(call(t.folder, t.command("whole")).code == 0);
  const std::string expected = t.result("whole");
  const auto with = [&](const std::string& fail, const std::string& out) {
    return call(t.folder, "export LD_PRELOAD=" RNX_FAILING_CALLS " RNX_TEST_FAIL=" + fail + "; " +
                              t.command(out));
  };
  for (const char* fail : {"write:100:4", "rename:12:4",
                           "fsync:9:4"}) {  // some checkpoints in the middle cannot be written
    CAPTURE(fail);
    const std::string out = std::string("middle_") + fail[0];
    const Result r = with(fail, out);
    CHECK_MESSAGE(r.code == 0, r.text);
    CHECK_MESSAGE(r.text.find(": cannot be ") != std::string::npos, r.text);
    CHECK(t.result(out) == expected);
  }
  for (const char* fail : {"write:300:100000", "rename:31:100000",
                           "fsync:47:100000"}) {  // from some moment to the end
    CAPTURE(fail);
    const std::string out = std::string("end_") + fail[0];
    refused(with(fail, out), 3, "the last checkpoint of the run could not be written");
    const Result r = call(t.folder, t.command(out));
    REQUIRE_MESSAGE(r.code == 0, r.text);
    CHECK(r.text.find("resuming after") != std::string::npos);
    CHECK(t.result(out) == expected);
  }
}
