export { Client, type Answer, type CallOptions, type ClientOptions } from "./client";
export { ApiError, hasStatus, isUnknown, type Explain, type Failure } from "./error";
export { askGraphQl, type GraphQlCall } from "./graphql";
export { createOnce, type Once } from "./once";
export type { Limit, Rate } from "./rate";
export { redactor } from "./redact";
export { Deadline, realWorld, type World } from "./world";
