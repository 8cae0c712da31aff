package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/bcrypt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// bcrypt reads no more bytes than these.
const bcryptLimit = 72

// TextInputs are what a password and a string have in common.
type TextInputs struct {
	Keepers         *map[string]string `pulumi:"keepers,optional"`
	Length          int                `pulumi:"length"`
	Upper           *bool              `pulumi:"upper,optional"`
	MinUpper        *int               `pulumi:"minUpper,optional"`
	Lower           *bool              `pulumi:"lower,optional"`
	MinLower        *int               `pulumi:"minLower,optional"`
	Number          *bool              `pulumi:"number,optional"`
	Numeric         *bool              `pulumi:"numeric,optional"`
	MinNumeric      *int               `pulumi:"minNumeric,optional"`
	Special         *bool              `pulumi:"special,optional"`
	MinSpecial      *int               `pulumi:"minSpecial,optional"`
	OverrideSpecial *string            `pulumi:"overrideSpecial,optional"`
}

type class struct {
	characters string
	allowed    bool
	least      int
}

func orElse[T any](given *T, fallback T) *T {
	if given == nil {
		return &fallback
	}
	return given
}

// filled gives the inputs with their documented defaults. `number` is the former name of `numeric`.
func (t TextInputs) filled() TextInputs {
	t.Upper, t.Lower, t.Special = orElse(t.Upper, true), orElse(t.Lower, true), orElse(t.Special, true)
	t.Numeric = orElse(orElse(t.Numeric, *orElse(t.Number, true)), true)
	t.Number = t.Numeric
	t.MinUpper, t.MinLower = orElse(t.MinUpper, 0), orElse(t.MinLower, 0)
	t.MinNumeric, t.MinSpecial = orElse(t.MinNumeric, 0), orElse(t.MinSpecial, 0)
	return t
}

// classes expects filled inputs.
func (t TextInputs) classes() []class {
	special := "!@#$%&*()-_=+[]{}<>:?"
	if t.OverrideSpecial != nil && *t.OverrideSpecial != "" {
		special = *t.OverrideSpecial
	}
	return []class{
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *t.Upper, *t.MinUpper},
		{"abcdefghijklmnopqrstuvwxyz", *t.Lower, *t.MinLower},
		{"0123456789", *t.Numeric, *t.MinNumeric},
		{special, *t.Special, *t.MinSpecial},
	}
}

func (t TextInputs) failures() []p.CheckFailure {
	failures := []p.CheckFailure{}
	least, some := 0, false
	for _, class := range t.filled().classes() {
		least += class.least
		some = some || class.allowed
	}
	if t.Length < 1 {
		failures = append(failures, p.CheckFailure{Property: "length", Reason: "must be at least 1"})
	} else if t.Length < least {
		failures = append(failures, p.CheckFailure{Property: "length", Reason: fmt.Sprintf(
			"must be at least the sum of minUpper, minLower, minNumeric and minSpecial, which is %d", least)})
	}
	if !some {
		failures = append(failures, p.CheckFailure{Property: "special", Reason: "one of upper, lower, numeric, special must be true"})
	}
	return failures
}

// text expects filled inputs.
func (t TextInputs) text() (string, error) {
	var characters []byte
	draw := func(from string, count int) error {
		for range count {
			at, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
			if err != nil {
				return err
			}
			characters = append(characters, from[at.Int64()])
		}
		return nil
	}
	var all strings.Builder
	for _, class := range t.classes() {
		if class.allowed {
			all.WriteString(class.characters)
		}
		if err := draw(class.characters, class.least); err != nil {
			return "", err
		}
	}
	if err := draw(all.String(), t.Length-len(characters)); err != nil {
		return "", err
	}
	for i := len(characters) - 1; i > 0; i-- {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return "", err
		}
		characters[i], characters[at.Int64()] = characters[at.Int64()], characters[i]
	}
	return string(characters), nil
}

func checkText(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[TextInputs], error) {
	inputs, failures, err := infer.DefaultCheck[TextInputs](ctx, req.NewInputs)
	_, lengthKnown := req.NewInputs.GetOk("length")
	if err == nil && lengthKnown && len(failures) == 0 && !req.NewInputs.Get("length").IsComputed() {
		failures = append(failures, inputs.failures()...)
	}
	return infer.CheckResponse[TextInputs]{Inputs: inputs, Failures: failures}, err
}

// RandomPassword is random:index/randomPassword:RandomPassword. Its result is a secret.
type RandomPassword struct{}

// PasswordState is what the state keeps of a password.
type PasswordState struct {
	TextInputs
	Result     string `pulumi:"result"     provider:"secret"`
	BcryptHash string `pulumi:"bcryptHash" provider:"secret"`
}

// Annotate gives the token that programs use.
func (r *RandomPassword) Annotate(a infer.Annotator) {
	a.SetToken("index/randomPassword", "RandomPassword")
}

// Check refuses lengths that can't be.
func (*RandomPassword) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[TextInputs], error) {
	return checkText(ctx, req)
}

// Create draws the password.
func (*RandomPassword) Create(
	_ context.Context, req infer.CreateRequest[TextInputs],
) (infer.CreateResponse[PasswordState], error) {
	state := PasswordState{TextInputs: req.Inputs.filled()}
	if req.DryRun {
		return infer.CreateResponse[PasswordState]{Output: state}, nil
	}
	result, err := state.text()
	if err != nil {
		return infer.CreateResponse[PasswordState]{}, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(result)[:min(len(result), bcryptLimit)], bcrypt.DefaultCost)
	state.Result, state.BcryptHash = result, string(hash)
	return infer.CreateResponse[PasswordState]{ID: "none", Output: state}, err
}

// RandomString is random:index/randomString:RandomString. Its result is its id.
type RandomString struct{}

// StringState is what the state keeps of a string.
type StringState struct {
	TextInputs
	Result string `pulumi:"result"`
}

// Annotate gives the token that programs use.
func (r *RandomString) Annotate(a infer.Annotator) { a.SetToken("index/randomString", "RandomString") }

// Check refuses lengths that can't be.
func (*RandomString) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[TextInputs], error) {
	return checkText(ctx, req)
}

// Create draws the string.
func (*RandomString) Create(
	_ context.Context, req infer.CreateRequest[TextInputs],
) (infer.CreateResponse[StringState], error) {
	state := StringState{TextInputs: req.Inputs.filled()}
	if req.DryRun {
		return infer.CreateResponse[StringState]{Output: state}, nil
	}
	result, err := state.text()
	state.Result = result
	return infer.CreateResponse[StringState]{ID: result, Output: state}, err
}
