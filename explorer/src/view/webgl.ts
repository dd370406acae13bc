/** Draw a cloud with WebGL 2. Moving the camera uploads nothing but a matrix. */

import { focusOf, matrixOf, type Camera } from "./camera";
import { PLAIN_SIZE, type Cloud, type Look } from "./cloud";

const PALETTE_SIDE = 256;

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

type Part = "positions" | "before" | "colors" | "palette" | "sizes" | "states" | "order";

/** Draws clouds into a canvas; throws where there is no WebGL 2. */
export class WebGLPainter {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #buffers = new Map<string, WebGLBuffer>();
  readonly #uploaded = new Map<Part, object>();

  constructor(readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", {
      antialias: false, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true,
    });
    if (gl === null) throw new Error("There is no WebGL 2.");
    this.#gl = gl;
    this.#program = linked(gl);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Draw, and say when it is done how many milliseconds it took. */
  async draw(cloud: Cloud, camera: Camera, look: Look, density: number): Promise<number> {
    const started = performance.now();
    const gl = this.#gl;
    this.#upload(cloud);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.#program);
    this.#setUniforms(cloud, camera, look, density);
    if (camera.dims === 3) gl.enable(gl.DEPTH_TEST);
    else gl.disable(gl.DEPTH_TEST);
    gl.drawElements(gl.POINTS, cloud.count, gl.UNSIGNED_INT, 0);
    await finished(gl);
    return performance.now() - started;
  }

  #setUniforms(cloud: Cloud, camera: Camera, look: Look, density: number): void {
    const gl = this.#gl;
    const at = (name: string) => gl.getUniformLocation(this.#program, name);
    const { width, height } = this.canvas;
    gl.uniformMatrix4fv(at("matrix"), false, matrixOf(camera, width, height));
    gl.uniform1f(at("arrived"), cloud.arrived);
    gl.uniform1f(at("focus"), focusOf(camera));
    gl.uniform1f(at("size"), look.size * density);
    gl.uniform1f(at("opacity"), look.opacity);
    gl.uniform1i(at("deep"), Number(camera.dims === 3));
    gl.uniform1i(at("dimmed"), Number(look.dimmed));
    gl.uniform4f(at("context"), ...channels(look.context));
  }

  /** Send what has been replaced since the last frame; arrays are never changed in place. */
  #upload(cloud: Cloud): void {
    const gl = this.#gl;
    this.#attribute(cloud, "positions", "place", 3, gl.FLOAT);
    this.#attribute(cloud, "before", "before", 3, gl.FLOAT);
    this.#attribute(cloud, "colors", "color", 1, gl.UNSIGNED_SHORT);
    this.#attribute(cloud, "states", "state", 1, gl.UNSIGNED_BYTE);
    this.#attribute(cloud, "sizes", "weight", 1, gl.UNSIGNED_BYTE);
    if (this.#isNew("order", cloud.order)) {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#buffer("order"));
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, cloud.order, gl.STATIC_DRAW);
    }
    if (this.#isNew("palette", cloud.palette)) {
      const texels = new Uint32Array(PALETTE_SIDE * PALETTE_SIDE);
      texels.set(cloud.palette.subarray(0, texels.length));
      gl.texImage2D(
        gl.TEXTURE_2D, 0, gl.RGBA8, PALETTE_SIDE, PALETTE_SIDE, 0, gl.RGBA, gl.UNSIGNED_BYTE,
        new Uint8Array(texels.buffer),
      );
    }
  }

  #attribute(
    cloud: Cloud, part: "positions" | "before" | "colors" | "states" | "sizes", name: string,
    size: number, type: number,
  ): void {
    if (!this.#isNew(part, cloud[part])) return;
    const gl = this.#gl;
    const location = gl.getAttribLocation(this.#program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer(part));
    gl.bufferData(gl.ARRAY_BUFFER, cloud[part], gl.STATIC_DRAW);
    gl.enableVertexAttribArray(location);
    if (part === "colors" || part === "states") gl.vertexAttribIPointer(location, size, type, 0, 0);
    else gl.vertexAttribPointer(location, size, type, false, 0, 0);
  }

  #isNew(part: Part, data: object): boolean {
    if (this.#uploaded.get(part) === data) return false;
    this.#uploaded.set(part, data);
    return true;
  }

  #buffer(name: string): WebGLBuffer {
    const buffer = this.#buffers.get(name) ?? this.#gl.createBuffer();
    this.#buffers.set(name, buffer);
    return buffer;
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
