// sharp as an encoder: speaks the protocol that __init__.py describes. The argument says which.
import { writeFileSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";

// libuv reads this when its first work is queued, so before sharp is loaded.
process.env.UV_THREADPOOL_SIZE = "1";
const { default: sharp } = await import("sharp");
sharp.concurrency(1);
sharp.cache(false);

const variants = {
  jpeg: (image, quality) => image.jpeg({ quality }),
  mozjpeg: (image, quality) => image.jpeg({ quality, mozjpeg: true }),
  webp: (image, quality) => image.webp({ quality }),
  png: (image, quality) => image.png({ quality, palette: true }),
};
const variant = variants[process.argv[2]];
const answer = (message) => process.stdout.write(JSON.stringify(message) + "\n");

const encode = async ({ source, output, setting }) => {
  const data = readFileSync(source);
  const before = process.cpuUsage();
  const { pages = 1 } = await sharp(data).metadata();
  const image = pages > 1 ? sharp(data, { animated: true }) : sharp(data).rotate();
  const encoded = await variant(image, setting).toBuffer();
  const { user, system } = process.cpuUsage(before);
  writeFileSync(output, encoded);
  return { cpu: (user + system) / 1e6 };
};

answer({ version: `sharp ${sharp.versions.sharp} (libvips ${sharp.versions.vips})` });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    answer(await encode(JSON.parse(line)));
  } catch (error) {
    answer({ error: error.message });
  }
}
