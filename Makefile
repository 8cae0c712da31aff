# Two commands: `make up` rehearses everything on this machine (`make up STACK=dev` the development stack), `make test` passes the
# tests. Both do all of their set-up.
.PHONY: up down test unit check bench engine
node := node -r ts-node/register
STACK := prod
# A notice on the version of Node is for those who choose it.
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED := true

up: node_modules
	$(node) rehearsal/main.ts up $(STACK) $(NAME)

down: node_modules
	$(node) rehearsal/main.ts down

test: node_modules
	$(node) test/run.ts $(PART)

check unit: node_modules
	$(node) test/run.ts $@

bench: node_modules
	$(node) bench/main.ts

engine: node_modules
	@$(node) engine/main.ts env

node_modules: package-lock.json
	npm ci --no-fund --no-audit
	@touch node_modules
