//! The npm package's own parts: module, glue, TypeScript.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::{PACKAGE, TARGET, ensure_toolchain};
use crate::{dashboard, shell};

/// Builds the logger into `omnify-trace-wasm/js/dist`.
pub(crate) fn build() -> Result<()> {
    let toolchain = ensure_toolchain()?;
    shell::run(
        toolchain
            .cargo()
            .args(["build", "--profile", "wasm", "--target", TARGET])
            .args(["-p", PACKAGE, "--features", "module"]),
    )?;
    let module = target_dir(&toolchain).join("omnify_trace_wasm.wasm");
    let out = package_dir().join("dist/core");
    let stamp = shell::target_dir().join("wasm-package.input");
    // Another module, or another recipe, makes another package.
    let input = [fs::read(&module)?.as_slice(), include_bytes!("package.rs")].concat();
    let made = fs::read(&stamp).is_ok_and(|made_from| made_from == input);
    if !(made && out.join("core_bg.wasm").is_file()) {
        bind(&module, &out)?;
        shrink(&out.join("core_bg.wasm"))?;
        fs::write(&stamp, input)?;
    }
    shell::run_quiet(dashboard::npm().args(["run", "build", "-w", "omnify-trace-wasm/js"]))?;
    report(&out);
    Ok(())
}

/// Where the npm package's sources are.
fn package_dir() -> PathBuf {
    shell::root().join("omnify-trace-wasm/js")
}

fn target_dir(toolchain: &super::toolchain::Toolchain) -> PathBuf {
    toolchain.target_dir().join(TARGET).join("wasm")
}

/// Makes `core_bg.wasm` and its types, `core_bg.wasm.d.ts`. The glue is `js/src/core.ts`: wasm-bindgen's
/// own is three times as large.
fn bind(module: &Path, out: &Path) -> Result<()> {
    let context = "the module's face for JavaScript could not be made";
    let mut output = Bindgen::new()
        .input_path(module)
        .out_name("core")
        .web(true)?
        .typescript(true)
        .omit_default_module_path(false)
        .remove_producers_section(true)
        .generate_output()
        .context(context)?;
    mute_panics(output.wasm_mut());
    output.emit(out).context(context)?;
    for glue in ["core.js", "core.d.ts"] {
        fs::remove_file(out.join(glue)).context(context)?;
    }
    Ok(())
}

/// Functions of the standard library that never return: they word a panic's message and panic.
const DIVERGING: [&str; 8] = [
    "::panicking::",
    "rust_panic",
    "slice_error_fail",
    "slice_index_fail",
    "unwrap_failed",
    "expect_failed",
    "handle_error",
    "capacity_overflow",
];

/// Lets those functions trap at once. A panic of ours ends in a trap anyway and nobody reads its
/// message; but the wording drags in all of `core::fmt`, half of the module.
fn mute_panics(module: &mut walrus::Module) {
    let ids: Vec<_> = module
        .funcs
        .iter()
        .filter(|function| {
            function
                .name
                .as_deref()
                .is_some_and(|name| DIVERGING.iter().any(|part| name.contains(part)))
        })
        .map(walrus::Function::id)
        .collect();
    for id in ids {
        if let walrus::FunctionKind::Local(function) = &mut module.funcs.get_mut(id).kind {
            let mut body = function.builder_mut().func_body();
            body.instrs_mut().clear();
            body.unreachable();
        }
    }
}

/// Optimises for size and drops what no browser reads.
fn shrink(module: &Path) -> Result<()> {
    let tool = shell::root().join("node_modules/.bin/wasm-opt");
    shell::run_quiet(
        shell::command(&tool.to_string_lossy())
            // No feature beyond what the compiler wrote into the module: every browser since 2021 has these.
            // Nothing lies below 1 KiB, where only the end of the stack could be: addresses may take in their offsets.
            .arg("--low-memory-unused")
            .args(["--flatten", "--rereloop", "-Oz", "-Oz"])
            .args(["--reorder-functions", "--reorder-locals"])
            .args(["--strip-debug", "--strip-producers"])
            .arg("--strip-target-features")
            .arg(module)
            .arg("-o")
            .arg(module),
    )
    .context("wasm-opt (npm package binaryen) failed")
}

fn report(out: &Path) {
    let size = |name: &str| fs::metadata(out.join(name)).map_or(0, |file| file.len());
    println!(
        "      module {} bytes before compression",
        size("core_bg.wasm")
    );
}
