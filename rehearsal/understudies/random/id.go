package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"math/big"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// RandomId is random:index/randomId:RandomId: random bytes in several spellings.
type RandomId struct{} //nolint:revive // The official name.

// IdInputs are what a program says.
type IdInputs struct { //nolint:revive // As above.
	Keepers    *map[string]string `pulumi:"keepers,optional"`
	ByteLength int                `pulumi:"byteLength"`
	Prefix     *string            `pulumi:"prefix,optional"`
}

// IdState is what the state keeps. Each spelling has the prefix, the id doesn't.
type IdState struct { //nolint:revive // As above.
	IdInputs
	B64Std string `pulumi:"b64Std"`
	B64Url string `pulumi:"b64Url"`
	Dec    string `pulumi:"dec"`
	Hex    string `pulumi:"hex"`
}

// Annotate gives the token that programs use.
func (r *RandomId) Annotate(a infer.Annotator) { a.SetToken("index/randomId", "RandomId") }

// Check refuses no bytes at all.
func (*RandomId) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[IdInputs], error) {
	inputs, failures, err := infer.DefaultCheck[IdInputs](ctx, req.NewInputs)
	length, given := req.NewInputs.GetOk("byteLength")
	if given && !length.IsComputed() && inputs.ByteLength < 1 {
		failures = append(failures, p.CheckFailure{Property: "byteLength", Reason: "must be at least 1"})
	}
	return infer.CheckResponse[IdInputs]{Inputs: inputs, Failures: failures}, err
}

// Create draws the bytes.
func (*RandomId) Create(
	_ context.Context, req infer.CreateRequest[IdInputs],
) (infer.CreateResponse[IdState], error) {
	state := IdState{IdInputs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[IdState]{Output: state}, nil
	}
	bytes := make([]byte, req.Inputs.ByteLength)
	if _, err := rand.Read(bytes); err != nil {
		return infer.CreateResponse[IdState]{}, err
	}
	prefix := *orElse(req.Inputs.Prefix, "")
	id := base64.RawURLEncoding.EncodeToString(bytes)
	state.B64Url = prefix + id
	state.B64Std = prefix + base64.StdEncoding.EncodeToString(bytes)
	state.Hex = prefix + hex.EncodeToString(bytes)
	state.Dec = prefix + new(big.Int).SetBytes(bytes).String()
	return infer.CreateResponse[IdState]{ID: id, Output: state}, nil
}
