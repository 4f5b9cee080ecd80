// Room distill: what a student learns from a teacher's inside. Losses on logits and features are in
// room loss (Kl, Mse, Cosine, L2). Per sample: attention transfer; of the whole batch
// (loss::PerBatch): the tutor loss, relations among samples, a contrastive loss with a memory.
//
//   distill::TutorLoss<float> tutor(student.graph(), teacher.graph());
//   auto ts = student.make_trace({.use = Use::train, .capacity = 128, .keep =
//   tutor.student_keep()}); auto tt = teacher.make_trace({.capacity = 128, .keep =
//   tutor.teacher_keep()}); auto logits_grads = tutor.make_grads();
//   teacher.forward(tt, x, {});  student.forward(ts, x, ctx);
//   tutor(ts, tt, 1.0, &logits_grads);                        // after the losses on the logits,
//   before
//   student.backward(ts, {}, &grads);
#pragma once

#include "rnx/distill/attention.hpp"
#include "rnx/distill/contrast.hpp"
#include "rnx/distill/cpu.hpp"
#include "rnx/distill/cpu_batch.hpp"
#include "rnx/distill/cpu_tutor.hpp"
#include "rnx/distill/maps.hpp"
#include "rnx/distill/op.hpp"
#include "rnx/distill/relations.hpp"
#include "rnx/distill/tutor.hpp"
#include "rnx/distill/tutor_term.hpp"
