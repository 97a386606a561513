"""TRL's GRPOTrainer on a batch of ours and at its own pace; run by the Python of its own environment, our checkers on its path.

Given a folder with `model/` and `job.json`, it prints the loss and the gradient's norm on the recorded batch, then waits: every
line it is sent is a number of threads and lets one step happen; it answers with what that step took.
"""

import json
import os
import sys
import time
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from nosce.mind.dialects.socrates import answer
from nosce.models.socrates.tokenizer import SocratesTokenizer
from nosce.tasks.load import load_problems

TOLD = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever the libraries print goes elsewhere


def tell(**found):
    print(json.dumps(found), file=TOLD, flush=True)


class Paced(TrainerCallback):
    """One step for every line read."""

    def on_step_begin(self, args, state, control, **more):
        line = sys.stdin.readline()
        if not line.strip():
            sys.exit()
        torch.set_num_threads(int(line))
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def on_step_end(self, args, state, control, **more):
        tell(seconds=time.perf_counter() - self.wall, cpu=time.process_time() - self.cpu)


def right(problems):
    """Outcome rewards, the answer read as ours is: TRL's own text leaves out the control tokens around it."""
    known, written = {problem.id: problem for problem in problems}, SocratesTokenizer()

    def outcome(completion_ids, problem_id, **columns):
        texts = [written.decode(ids[:-1] if ids[-1] == written.end_id else ids) for ids in completion_ids]
        return [known[i].check(answer(text)) for i, text in zip(problem_id, texts, strict=True)]

    return outcome


def settings(folder, job):
    """As ours: all in one batch of single precision, one update a batch, no distance from the start, nothing kept or logged."""
    return GRPOConfig(
        output_dir=str(folder / "trl"), use_cpu=True, bf16=False, fp16=False,
        per_device_train_batch_size=job["batch"] * job["group"],
        num_generations=job["group"], max_completion_length=job["longest"], temperature=1.0, top_p=1.0, top_k=0, beta=0.0,
        epsilon=job["clip"], loss_type="grpo", scale_rewards="group", num_iterations=1, gradient_checkpointing=False,
        learning_rate=job["lr"], lr_scheduler_type="constant", warmup_steps=0, adam_beta2=0.99, weight_decay=0.0, max_grad_norm=1.0,
        max_steps=job["steps"], shuffle_dataset=False, save_strategy="no", logging_strategy="no", report_to="none",
        disable_tqdm=True, remove_unused_columns=False, dataloader_pin_memory=False, seed=0,
    )  # fmt: skip


def on_batch(trainer, batch):
    """TRL's loss, advantages and gradient on recorded rollouts, with the log-probabilities that they were drawn at."""
    trainer.rollout_func = lambda prompts, _: {
        "prompt_ids": batch["prompts"], "completion_ids": batch["completions"], "logprobs": None,
    }  # fmt: skip
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    inputs = trainer._generate_and_score_completions(batch["rows"])
    longest = inputs["completion_ids"].shape[1]
    inputs["old_per_token_logps"] = torch.tensor([row + [0.0] * (longest - len(row)) for row in batch["old"]])
    loss = trainer.compute_loss(trainer.model, inputs)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), float("inf"))
    trainer.model.zero_grad(set_to_none=True)
    trainer.rollout_func = None
    return {"loss": float(loss), "grad_norm": float(norm), "advantages": inputs["advantages"].tolist()}


def main(folder):
    job = json.loads((folder / "job.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(folder / "model", padding_side="left")
    trainer = GRPOTrainer(
        AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32), right(load_problems(job["data"])),
        args=settings(folder, job), train_dataset=Dataset.from_list(job["rows"]), processing_class=tokenizer, callbacks=[Paced()],
    )  # fmt: skip
    assert tokenizer([row["prompt"] for row in job["batch_rows"]["rows"]])["input_ids"] == job["batch_rows"]["prompts"]
    tell(**on_batch(trainer, job["batch_rows"]))
    trainer.train()


main(Path(sys.argv[1]))
