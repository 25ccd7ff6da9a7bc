// sharp as a peer: speaks the protocol that __init__.py describes. `quality` is mozjpeg's own.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { hrtime } from "node:process";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const answer = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const seconds = (since) => Number(hrtime.bigint() - since) / 1e9;

const job = JSON.parse((await lines.next()).value);
// libuv reads this when its first work is queued, so before sharp is loaded.
process.env.UV_THREADPOOL_SIZE = String(job.workers);
const { default: sharp } = await import("sharp");
sharp.concurrency(1);
sharp.cache(false);

const images = job.images.map((path) => readFileSync(path));
const optimize = async (image) => {
  const started = hrtime.bigint();
  // rotate() without an angle applies the EXIF orientation, as tinyjpg does.
  const output = await sharp(image)
    .rotate()
    .jpeg({ quality: job.quality, mozjpeg: true })
    .toBuffer();
  return { bytes: output.length, method: "mozjpeg", seconds: seconds(started) };
};

const round = async () => {
  const outputs = new Array(images.length);
  let next = 0;
  const work = async () => {
    while (next < images.length) {
      const index = next++;
      outputs[index] = await optimize(images[index]);
    }
  };
  await Promise.all(Array.from({ length: job.workers }, work));
  return outputs;
};

if (job.warm_up) {
  await Promise.all(Array.from({ length: job.workers }, () => optimize(images[0])));
}
answer({ version: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}` });
while (!(await lines.next()).done) {
  const started = hrtime.bigint();
  const outputs = await round();
  answer({ seconds: seconds(started), images: outputs });
}
