/** Draw clouds with WebGL 2. Moving the camera uploads nothing but a matrix. */

import { focusOf, matrixOf, type Camera } from "./camera";
import { PLAIN_SIZE, type Box, type Layer, type Look } from "./cloud";

const PALETTE_SIDE = 256;

type Attribute = Float32Array | Uint32Array | Uint16Array | Uint8Array;

const VERTEX = `#version 300 es
precision highp float;
precision highp int;
uniform mat4 matrix;
uniform float arrived, focus, size, opacity;
uniform bool deep, dimmed;
uniform vec4 context;
uniform sampler2D palette;
in vec3 place, before;
in uint color, state;
in float weight;
out vec4 shade;
out float diameter;

void main() {
  gl_Position = matrix * vec4(mix(before, place, arrived), 1.0);
  bool aside = state == 0u;
  float near = deep ? clamp(focus / gl_Position.w, 0.0, 6.0) : 1.0;
  diameter = max(1.0, size * (aside ? 0.6 : weight / ${PLAIN_SIZE}.0) * near);
  gl_PointSize = diameter + 1.0;
  shade = aside ? context : texelFetch(palette, ivec2(color & 255u, color >> 8u), 0);
  float fading = deep ? clamp(1.5 * focus / gl_Position.w - 0.35, 0.25, 1.0) : 1.0;
  shade.a *= aside ? 1.0 : opacity * fading * (dimmed && state == 1u ? 0.25 : 1.0);
}`;

// Edges of discs are a pixel soft on flat maps; solid ones write depth and have hard edges.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
uniform bool deep;
in vec4 shade;
in float diameter;
out vec4 drawn;

void main() {
  float inside = 0.5 * diameter + 0.5 - length(gl_PointCoord - 0.5) * (diameter + 1.0);
  float cover = deep ? step(0.5, inside) : clamp(inside, 0.0, 1.0);
  if (cover == 0.0) discard;
  drawn = vec4(shade.rgb, 1.0) * shade.a * cover;
}`;

/** What lies in the memory of the graphics processor, by the array that it is a copy of. */
interface Uploaded {
  buffers: Map<object, WebGLBuffer>;
  palettes: Map<object, WebGLTexture>;
}

/** Draws clouds into a canvas; throws where there is no WebGL 2. */
export class WebGLPainter {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  #uploaded: Uploaded = { buffers: new Map(), palettes: new Map() };

  constructor(readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", {
      antialias: false, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true,
    });
    if (gl === null) throw new Error("There is no WebGL 2.");
    this.#gl = gl;
    this.#program = linked(gl);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.enable(gl.SCISSOR_TEST);
  }

  /** Draw, and say when it is done how many milliseconds it took. */
  async draw(layers: readonly Layer[], camera: Camera, look: Look, density: number): Promise<number> {
    const started = performance.now();
    const gl = this.#gl;
    gl.scissor(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.#program);
    if (camera.dims === 3) gl.enable(gl.DEPTH_TEST);
    else gl.disable(gl.DEPTH_TEST);
    const before = this.#uploaded;
    this.#uploaded = { buffers: new Map(), palettes: new Map() };
    for (const layer of layers) {
      this.#bind(layer, before);
      this.#setView(layer.box, density);
      this.#setUniforms(layer, camera, look, density);
      gl.drawElements(gl.POINTS, layer.cloud.count, gl.UNSIGNED_INT, 0);
    }
    for (const buffer of before.buffers.values()) gl.deleteBuffer(buffer);
    for (const palette of before.palettes.values()) gl.deleteTexture(palette);
    await finished(gl);
    return performance.now() - started;
  }

  /** Draw into a part of the canvas, and nothing beside it. */
  #setView({ left, top, width, height }: Box, density: number): void {
    const gl = this.#gl;
    const [x, right] = [Math.round(left * density), Math.round((left + width) * density)];
    const [y, bottom] = [Math.round(top * density), Math.round((top + height) * density)];
    const place = [x, this.canvas.height - bottom, right - x, bottom - y] as const;
    gl.viewport(...place);
    gl.scissor(...place);
  }

  #setUniforms({ box, arrived }: Layer, camera: Camera, look: Look, density: number): void {
    const gl = this.#gl;
    const at = (name: string) => gl.getUniformLocation(this.#program, name);
    gl.uniformMatrix4fv(at("matrix"), false, matrixOf(camera, box.width, box.height));
    gl.uniform1f(at("arrived"), arrived);
    gl.uniform1f(at("focus"), focusOf(camera));
    gl.uniform1f(at("size"), look.size * density);
    gl.uniform1f(at("opacity"), look.opacity);
    gl.uniform1i(at("deep"), Number(camera.dims === 3));
    gl.uniform1i(at("dimmed"), Number(look.dimmed));
    gl.uniform4f(at("context"), ...channels(look.context));
  }

  /** Take what a layer is made of; only what was not drawn before is sent: arrays are never changed in place. */
  #bind({ cloud, positions, before }: Layer, kept: Uploaded): void {
    const gl = this.#gl;
    const attribute = (name: string, data: Attribute, size: number, type: number): void => {
      const location = gl.getAttribLocation(this.#program, name);
      this.#buffer(gl.ARRAY_BUFFER, data, kept);
      gl.enableVertexAttribArray(location);
      if (name === "color" || name === "state") gl.vertexAttribIPointer(location, size, type, 0, 0);
      else gl.vertexAttribPointer(location, size, type, false, 0, 0);
    };
    attribute("place", positions, 3, gl.FLOAT);
    attribute("before", before, 3, gl.FLOAT);
    attribute("color", cloud.colors, 1, gl.UNSIGNED_SHORT);
    attribute("state", cloud.states, 1, gl.UNSIGNED_BYTE);
    attribute("weight", cloud.sizes, 1, gl.UNSIGNED_BYTE);
    this.#buffer(gl.ELEMENT_ARRAY_BUFFER, cloud.order, kept);
    this.#palette(cloud.palette, kept);
  }

  #buffer(target: number, data: Attribute, kept: Uploaded): void {
    const gl = this.#gl;
    const known = kept.buffers.get(data) ?? this.#uploaded.buffers.get(data);
    gl.bindBuffer(target, known ?? null);
    kept.buffers.delete(data);
    if (known !== undefined) return void this.#uploaded.buffers.set(data, known);
    const buffer = gl.createBuffer();
    gl.bindBuffer(target, buffer);
    gl.bufferData(target, data, gl.STATIC_DRAW);
    this.#uploaded.buffers.set(data, buffer);
  }

  #palette(colors: Uint32Array, kept: Uploaded): void {
    const gl = this.#gl;
    const known = kept.palettes.get(colors) ?? this.#uploaded.palettes.get(colors);
    kept.palettes.delete(colors);
    const texture = known ?? gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    this.#uploaded.palettes.set(colors, texture);
    if (known !== undefined) return;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    const texels = new Uint32Array(PALETTE_SIDE * PALETTE_SIDE);
    texels.set(colors.subarray(0, texels.length));
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.RGBA8, PALETTE_SIDE, PALETTE_SIDE, 0, gl.RGBA, gl.UNSIGNED_BYTE,
      new Uint8Array(texels.buffer),
    );
  }
}

function linked(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The shaders do not link: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

/** Wait for what was drawn, without keeping the page from answering meanwhile. */
async function finished(gl: WebGL2RenderingContext): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  if (fence === null) return;
  while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  gl.deleteSync(fence);
}

function channels(color: number): [number, number, number, number] {
  return [0, 8, 16, 24].map((shift) => ((color >>> shift) & 255) / 255) as
    [number, number, number, number];
}
