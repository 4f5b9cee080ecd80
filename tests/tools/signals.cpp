// What a signal does, and what a run does whose folder goes away.
#include "support.hpp"

using namespace tools_test;

TEST_CASE(
    "SIGHUP and SIGUSR1 save as SIGTERM does; what was ignored stays ignored; an attack ends "
    "within a step") {
  const TrainedTiny f;
  const std::string endless = train + tiny + " --epochs 1000000 --save-every-steps 1 --out ";
  for (const int signal : {SIGHUP, SIGUSR1, SIGTERM, SIGINT}) {
    CAPTURE(signal);
    const std::string out = f / ("signal" + std::to_string(signal));
    const Process p(f, endless + out);
    p.wait_for(out + "/ckpt/LATEST");
    ::kill(p.id, signal);
    CHECK(stopped_cleanly(p.wait()));
    CHECK(read(f / "errors").find("stopping after this step") != std::string::npos);
  }
  for (const int signal : {SIGHUP, SIGINT}) {
    CAPTURE(signal);
    const std::string out = f / ("ignored" + std::to_string(signal));
    const Process p(f, endless + out, signal);
    p.wait_for(out + "/ckpt/LATEST");
    const auto latest = [&] { return std::atol(read(out + "/ckpt/LATEST").c_str()); };
    const long before = latest();
    ::kill(p.id, signal);
    for (int k = 0; k < 6000 && latest() < before + 4; ++k) ::usleep(10000);
    CHECK(latest() >= before + 4);
    ::kill(p.id, SIGUSR1);
    CHECK(stopped_cleanly(p.wait()));
  }
  // a batch of this attack takes hours
  const Process p(
      f, eval +
             " --dataset synthetic --model dnn --n-ex 200 --attack pgd:steps=1000000 --weights " +
             f.weights() + " --out " + (f / "attack"));
  p.wait_for(f / "attack/run.json");
  ::kill(p.id, SIGINT);
  CHECK(stopped_cleanly(p.wait()));
  CHECK(!fs::exists(f / "attack/report.json"));
  const std::string endless_attack =
      eval + " --dataset synthetic --model dnn --n-ex 200 --attack pgd:steps=1000000 --weights " +
      f.weights() + " --out " + (f / "twice");
  const Process twice(f, endless_attack);
  twice.wait_for(f / "twice/run.json");
  const Result both = call(f, endless_attack);
  refused(both, 2, "is in use by another rnx-eval");
  ::kill(twice.id, SIGTERM);
  CHECK(stopped_cleanly(twice.wait()));
}

TEST_CASE("an out folder that is deleted in mid-run is made again, and said") {
  const Folder f;
  const Process run(f, train +
                           " --dataset synthetic --model dnn --n-train 512 --n-test 8 --batch 8 "
                           "--epochs 12 --eval-n 0 --eval-pgd-n 0 --final-pgd-n 0 --out " +
                           (f / "run"));
  run.wait_for(f / "run/ckpt/LATEST");
  fs::rename(f / "run", f / "gone");  // at once, and then its files
  fs::remove_all(f / "gone");
  const int status = run.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(read(f / "errors").find("run.json was deleted while the run goes on") != std::string::npos);
  for (const char* file : {"run.json", "log.jsonl", "metrics.csv", "model.safetensors"})
    CHECK(fs::exists(f / ("run/" + std::string(file))));
  CHECK(read(f / "run/metrics.csv").starts_with("epoch,"));
}

TEST_CASE("--requeue-exit: the exit code after a signal") {
  const TrainedTiny f;
  const Process p(f, train + tiny + " --epochs 1000000 --requeue-exit 99 --out " + (f / "long"));
  p.wait_for(f / "long/ckpt/LATEST");
  ::kill(p.id, SIGUSR1);
  const int status = p.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 99);
  refused(call(f, train + tiny + " --requeue-exit 0"), 2,
          "--requeue-exit: expected a whole number");
}
