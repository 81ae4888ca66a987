# Start Greenroom in this terminal, on Windows; arguments go to `greenroom chat`. scripts/run is for other systems.
#
#   powershell -ExecutionPolicy Bypass -File scripts\run.ps1 --model rehearsal
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent $PSScriptRoot
$venv = Join-Path $root '.venv'
$python = Join-Path $venv 'Scripts\python.exe'
$stamp = Join-Path $venv '.installed'

if (-not (Test-Path $python)) {
    $found = $null
    foreach ($version in '-3.13', '-3.12', '-3.11') {
        if ((Get-Command py -ErrorAction SilentlyContinue) -and -not $found) {
            & py $version -c 'import venv' 2>$null
            if ($LASTEXITCODE -eq 0) { $found = $version }
        }
    }
    if (-not $found) { Write-Error 'run: needs Python 3.11 or newer with its launcher, py; install it and start again' }
    Write-Host "Making $venv with Python $found ..."
    & py $found -m venv $venv
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}
# What is installed is installed again when what it depends on has changed.
$wanted = (Get-FileHash (Join-Path $root 'pyproject.toml')).Hash + (Get-FileHash (Join-Path $root 'constraints.txt')).Hash
$has = if (Test-Path $stamp) { (Get-Content $stamp -Raw).Trim() } else { '' }
if ($has -ne $wanted) {
    Write-Host 'Installing what Greenroom needs ...'
    Push-Location $root
    & $python -m pip install -q --disable-pip-version-check -e . -c constraints.txt
    $code = $LASTEXITCODE
    Pop-Location
    if ($code -ne 0) { exit $code }
    Set-Content -Path $stamp -Value $wanted
}
$env:PYTHONUTF8 = '1'
& (Join-Path $venv 'Scripts\greenroom.exe') chat @args
exit $LASTEXITCODE
