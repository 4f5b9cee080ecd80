// Room optim: optimizers over lists of parametrised objects, averages, schedules, the values of a
// step.
//
//   optim::Sgd sgd({.momentum = 0.9, .weight_decay = 5e-4, .groups =
//   {optim::no_decay_on_norm_and_bias()}}); sgd.add(net, grads);
//   optim::StepState<> state;
//   const optim::Warmup schedule{optim::Cosine{.base = 0.1}, 0.05};
//   StepValues v;  sgd.apply(schedule(step, steps), v);  state.set(v);
//   ... forward, loss, backward into grads ...
//   sgd.step(state.get());
#pragma once

#include "rnx/optim/adam.hpp"
#include "rnx/optim/ema.hpp"
#include "rnx/optim/optimizer.hpp"
#include "rnx/optim/schedule.hpp"
#include "rnx/optim/sgd.hpp"
#include "rnx/optim/step.hpp"
